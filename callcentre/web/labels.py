"""The words of supervision and of the funnel: states, stages, reasons, each with its sign where it has one."""

from __future__ import annotations

from dataclasses import dataclass

from callcentre.desk.kinds import DecisionKind
from callcentre.funnel.stages import Stage
from callcentre.programmes import Programme
from callcentre.retry.reasons import Reason, ReasonCode
from callcentre.supervision.picture import Bucket, OfficerState, PromiseState
from callcentre.web.i18n import gettext, mark, words


@dataclass(frozen=True)
class Sign:
    """A label with the shape and the class of its chip: never colour alone."""

    label: str
    shape: str
    css: str = ""


OFFICER_STATES = {
    OfficerState.ON_CALL: Sign(mark("en appel"), "●", "info"),
    OfficerState.WRAP_UP: Sign(mark("saisit le résultat"), "◐", "info"),
    OfficerState.READING: Sign(mark("lit une fiche"), "○", "info"),
    OfficerState.FREE: Sign(mark("libre"), "✓", "done"),
    OfficerState.PAUSED: Sign(mark("en pause"), "■"),
    OfficerState.AWAY: Sign(mark("absent"), "–"),
}

PROMISE_STATES = {
    PromiseState.MISSED: Sign(mark("manqué"), "■", "solid"),
    PromiseState.LATE: Sign(mark("en retard"), "▲", "attention"),
    PromiseState.AT_RISK: Sign(mark("menacé"), "▲", "attention"),
    PromiseState.NEXT: Sign(mark("à venir"), "○"),
}

BUCKETS = {
    Bucket.HELD: mark("Fiche ouverte en ce moment"),
    Bucket.NOW: mark("Appelable maintenant"),
    Bucket.RESERVE: mark("En réserve, planifiés à mesure"),
    Bucket.TODAY: mark("Plus tard aujourd’hui"),
    Bucket.LATER: mark("Un autre jour"),
    Bucket.PAUSED: mark("En pause"),
    Bucket.NOTHING: mark("Sans appel possible pour l’instant"),
    Bucket.CLOSED: mark("Sorti de la file"),
}

LANES = {
    "live_inbound": mark("Appel entrant"),
    "missed_inbound": mark("Appel manqué à rappeler"),
    "promise": mark("Rappel promis"),
    "reply": mark("Réponse à un message"),
    "ordinary": mark("Appel ordinaire"),
}

SIDE_STAGES = {
    Stage.GUARDIAN_REACHED: mark("Responsable joint"),
    Stage.ALREADY_IN_SOLUTION: mark("Déjà en solution"),
    Stage.ALREADY_ACCOMPANIED: mark("Déjà accompagnés ailleurs"),
}

REASONS = {
    ReasonCode.OPPOSED: mark("opposition"),
    ReasonCode.TOTAL_CAP: mark("maximum d’appels atteint"),
    ReasonCode.PAUSED: mark("pause"),
    ReasonCode.SOFT_REFUSAL: mark("a dit « pas maintenant »"),
    ReasonCode.OUTSIDE_HOURS: mark("hors des heures d’appel"),
    ReasonCode.CLOSED_DAY: mark("jour férié ou fermé"),
    ReasonCode.PERIOD_CAP: mark("limite sur 30 jours"),
    ReasonCode.CONTACT_CAP: mark("limite d’appels et de messages"),
    ReasonCode.DAY_CAP: mark("limite par jour"),
    ReasonCode.SAME_DAY_GAP: mark("écart après le dernier appel"),
    ReasonCode.OTHER_SLOT: mark("attend une autre heure"),
    ReasonCode.OTHER_WEEKDAY: mark("attend un autre jour de la semaine"),
    ReasonCode.NUMBER_UNKNOWN: mark("numéro inconnu"),
    ReasonCode.NUMBER_UNUSABLE: mark("numéro écarté"),
    ReasonCode.OPTED_OUT: mark("STOP sur le numéro"),
    ReasonCode.GUARDIAN_OF_ADULT: mark("numéro d’un proche d’adulte"),
    ReasonCode.GUARDIANS_NOT_CALLED: mark("responsables jamais appelés"),
    ReasonCode.NUMBER_TOTAL_CAP: mark("maximum d’appels du numéro"),
    ReasonCode.NUMBER_PERIOD_CAP: mark("limite du numéro sur 30 jours"),
    ReasonCode.NUMBER_DAY_CAP: mark("limite du numéro par jour"),
    ReasonCode.NUMBER_GAP: mark("numéro appelé à l’instant"),
    ReasonCode.FIRST_CALL: mark("premier appel"),
    ReasonCode.ANOTHER_HOUR: mark("autre créneau prévu"),
    ReasonCode.NEW_ROUND: mark("nouveau tour des créneaux"),
    ReasonCode.SATURDAY: mark("prévu un samedi"),
    ReasonCode.PUT_OFF: mark("reporté"),
    ReasonCode.EARLIER: mark("avancé"),
    ReasonCode.LEARNT_FIRST: mark("premier appel"),
    ReasonCode.LEARNT_HOUR: mark("meilleure heure prévue"),
    ReasonCode.LEARNT_ONLY: mark("seul créneau permis"),
    ReasonCode.LEARNT_ANSWERED: mark("heure d’une réponse passée"),
    ReasonCode.LEARNT_HINTED: mark("heure indiquée par un proche"),
    ReasonCode.LEARNT_OTHERS_ANSWERED: mark("heure d’une réponse passée"),
    ReasonCode.LEARNT_SOONER: mark("heure la plus proche qui vaille"),
    ReasonCode.LEARNT_AHEAD: mark("meilleur emploi des appels restants"),
    ReasonCode.LEARNT_RESTED: mark("laisse passer l’absence"),
    ReasonCode.LEARNT_SECOND: mark("numéro d’un proche prévu"),
    ReasonCode.LEARNT_EARLIER: mark("avancé"),
    ReasonCode.LEARNT_EARLIER_SECOND: mark("avancé"),
    ReasonCode.QUICK_RETRY: mark("occupé : nouvel essai bientôt"),
    ReasonCode.NEVER_REACHED: mark("injoignable, jamais joint"),
    ReasonCode.NO_LONGER_REACHED: mark("perdu de vue"),
    ReasonCode.OPTED_OUT_EVERYWHERE: mark("STOP partout"),
    ReasonCode.NO_NUMBER: mark("aucun numéro utilisable"),
    ReasonCode.NO_PERMITTED_HOUR: mark("aucune heure permise"),
    ReasonCode.READY: mark("prêt"),
    ReasonCode.LEASED: mark("fiche ouverte"),
    ReasonCode.NUMBER_IN_USE: mark("numéro en ligne"),
    ReasonCode.PROMISED: mark("rappel promis"),
    ReasonCode.REPLIED: mark("a répondu, souhaite un appel"),
    ReasonCode.CALLED_US: mark("a cherché à nous joindre"),
    ReasonCode.TO_SETTLE: mark("appel sans résultat"),
    ReasonCode.CLOSED: mark("sorti de la file"),
}

EXITS = {
    "appointment": mark("rendez-vous pris"),
    "has_solution": mark("déjà une solution"),
    "supported_elsewhere": mark("déjà accompagné ailleurs"),
    "opposition": mark("opposition"),
    "out_of_scope": mark("hors périmètre"),
    "details_to_find": mark("coordonnées à retrouver"),
    "other_routes": mark("autres voies en cours"),
    "guardian_refused": mark("refus d’un responsable"),
    "reserve": mark("leur tour vient dès qu’il y a de la place"),
    "never_reached": mark("injoignable, jamais joint"),
    "no_longer_reached": mark("perdu de vue"),
    "opted_out": mark("STOP reçu"),
}


DECISIONS = {
    DecisionKind.REOPENED: mark("Remis dans la file"),
    DecisionKind.RESULT_UNDONE: mark("Résultat annulé par un superviseur"),
    DecisionKind.OPPOSITION_LIFTED: mark("Opposition levée"),
    DecisionKind.OPT_OUT_LIFTED: mark("STOP levé"),
    DecisionKind.REFUSAL_GOES_ON: mark("Refus d’un responsable : on continue d’appeler le jeune"),
    DecisionKind.REFUSAL_STOPS: mark("Refus d’un responsable : on n’appelle plus le jeune"),
    DecisionKind.REFUSAL_LIFTED: mark("Refus d’un responsable : saisi par erreur, STOP levé"),
    DecisionKind.CALL_SETTLED: mark("Appel réglé à la place de son auteur"),
    DecisionKind.CONFLICT_READ: mark("Résultat arrivé trop tard : lu et classé"),
    DecisionKind.CARD_FREED: mark("Fiche libérée"),
}
"""What was decided, in words."""


def stage_label(programme: Programme, stage: Stage) -> str:
    """A stage in words: the programme's own for the four, ours for the side counters."""
    if stage in SIDE_STAGES:
        return gettext(SIDE_STAGES[stage])
    return words(programme.stages[stage].labels)


def reason_label(code: str | None) -> str:
    """Why somebody waits or left, in few words; a code that is not known is shown as it is."""
    if not code:
        return gettext("sans motif")
    if code in EXITS:
        return gettext(EXITS[code])
    try:
        return gettext(REASONS[ReasonCode(code)])
    except (KeyError, ValueError):
        return code.replace("_", " ")


def answer_label(why: Reason) -> str:
    """Why somebody is not being served, in few words: the exit by its own name."""
    if why.code is ReasonCode.CLOSED:
        return reason_label(str(why.params.get("closed", "")))
    return reason_label(why.code.value)


def place(label: str) -> str:
    """A territory's label where its column says already that it is a PSAD."""
    return label.removeprefix("PSAD ")


def disposition_label(programme: Programme, code: str | None) -> str:
    """A result in the words of the code book; an open call has none yet."""
    if code is None:
        return gettext("résultat attendu")
    entry = programme.code_book().get(code)
    return code if entry is None else words(entry.labels)
