"""The words of a simulation's report, in French and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from callcentre.simulation.arms import Change

NOT_REACHED = frozenset(
    {"never_reached", "details_to_find", "open", "other_routes", "opted_out", "hours_to_widen", "unreachable"}
)
"""Endings of people who were not contacted."""

_SENTENCES: dict[str, tuple[str, str]] = {
    "title": (
        "Simulation : {world}",
        "Simulation: {world}",
    ),
    "title_of_day": (
        "Simulation du {day} : {world}",
        "Simulation of {day}: {world}",
    ),
    "made": (
        "Faite le {day} à {hour}.",
        "Made on {day} at {hour}.",
    ),
    "made_by": (
        "Faite le {day} à {hour}, par {by}.",
        "Made on {day} at {hour}, by {by}.",
    ),
    "rules": (
        "Les règles de ce jour-là : {rules}.",
        "The rules of that day: {rules}.",
    ),
    "reached": (
        "{arm} : {rate} des jeunes contactés ; la cible de {target} est atteinte.",
        "{arm}: {rate} of the young people contacted; the target of {target} is reached.",
    ),
    "barely": (
        (
            "{arm} : {rate} des jeunes contactés ; la cible de {target} est atteinte en moyenne, mais la "
            "chance seule peut la faire manquer."
        ),
        (
            "{arm}: {rate} of the young people contacted; the target of {target} is reached on average, "
            "but chance alone may miss it."
        ),
    ),
    "missed": (
        "{arm} : {rate} des jeunes contactés ; la cible de {target} n’est pas atteinte.",
        "{arm}: {rate} of the young people contacted; the target of {target} is missed.",
    ),
    "tried": (
        "Changement essayé : {changes}.",
        "Change tried: {changes}.",
    ),
    "surely": (
        (
            "À chance égale, contre les règles d’aujourd’hui : contacts {contacts}, appels par contact "
            "{calls}."
        ),
        "With the same luck, against today’s rules: contacts {contacts}, calls per contact {calls}.",
    ),
    "by_chance": (
        (
            "À chance égale, contre les règles d’aujourd’hui : contacts {contacts}, appels par contact "
            "{calls}. L’écart de contacts peut n’être que du hasard."
        ),
        (
            "With the same luck, against today’s rules: contacts {contacts}, calls per contact {calls}. "
            "The difference in contacts may be nothing but chance."
        ),
    ),
    "why": (
        "Pourquoi : à la fin, part des jeunes par situation – {ends}.",
        "Why: at the end, part of the young people by situation – {ends}.",
    ),
    "would": (
        (
            "Ce qui suffirait, d’après les mêmes années rejouées avec ce réglage : {changes}. On y "
            "contacte {rate} des jeunes, en {calls} appels par année simulée."
        ),
        (
            "What would do, by the same years played again at this setting: {changes}. It contacts {rate}"
            " of the young people, with {calls} calls a simulated year."
        ),
    ),
    "would_barely": (
        (
            "Ce qui suffirait en moyenne, d’après les mêmes années rejouées avec ce réglage : {changes}. On "
            "y contacte {rate} des jeunes, en {calls} appels par année simulée ; la chance seule peut faire "
            "manquer la cible."
        ),
        (
            "What would do on average, by the same years played again at this setting: {changes}. It "
            "contacts {rate} of the young people, with {calls} calls a simulated year; chance alone may "
            "miss the target."
        ),
    ),
    "would_not": (
        "Aucun des changements rejoués ne suffit ; le plus favorable ({changes}) donne {rate}.",
        "None of the changes played again is enough; the best of them ({changes}) gives {rate}.",
    ),
    "played_full": (
        (
            "Joué par les verbes réels du logiciel, dans une base à part : {seeds} année(s) de {people} "
            "jeunes sur {days} jours."
        ),
        (
            "Played through the program’s real verbs, in a database apart: {seeds} year(s) of {people} "
            "people over {days} days."
        ),
    ),
    "played_light": (
        (
            "Joué en version légère : les règles d’appel seules, sans base de données ; {seeds} année(s) "
            "de {people} jeunes sur {days} jours."
        ),
        (
            "Played in the light version: the calling rules alone, without a database; {seeds} year(s) of"
            " {people} people over {days} days."
        ),
    ),
    "intervals": (
        (
            "« ± » et les crochets disent où la moyenne tombe 95 fois sur 100 quand seul le hasard change"
            " d’une année à l’autre."
        ),
        (
            "“±” and brackets say where the mean falls 95 times in 100 when nothing but chance differs "
            "between years."
        ),
    ),
    "one_seed": (
        "Une seule année jouée : rien ne dit ici la part du hasard.",
        "A single year was played: nothing here tells the part of chance.",
    ),
    "luck": (
        (
            "Toutes les politiques rencontrent les mêmes jeunes et la même chance : le troisième appel à "
            "quelqu’un a le même sort s’il est fait à la même heure."
        ),
        (
            "Every policy meets the same people and the same luck: the third call to somebody ends alike "
            "if it is made at the same hour."
        ),
    ),
    "invented": (
        (
            "Ces jeunes sont inventés ; le monde est un fichier d’hypothèses. Lisez les écarts entre "
            "politiques, pas les niveaux comme une prévision."
        ),
        (
            "These people are invented; the world is a file of assumptions. Read the differences between "
            "policies, not the levels as a forecast."
        ),
    ),
    "main_note": (
        (
            "Contacts : écart avec la première ligne, à chance égale. Appels par contact : appels à des "
            "jeunes non encore contactés. Règles enfreintes : recomptées d’après les seuls appels."
        ),
        (
            "Contacts: difference from the first line, with the same luck. Calls per contact: calls to "
            "people not yet contacted. Rules broken: recounted from the calls alone."
        ),
    ),
    "levers_note": (
        (
            "Chaque ligne a été jouée ({seeds} année(s) de {people} jeunes, version légère) avec les "
            "autres règles inchangées."
        ),
        (
            "Each line was played ({seeds} year(s) of {people} people, light version), all other rules "
            "unchanged."
        ),
    ),
    "table_main": (
        "Politiques comparées",
        "Policies compared",
    ),
    "table_levers": (
        "Ce que donneraient d’autres réglages",
        "What other settings would give",
    ),
    "table_segments": (
        "Part contactée par groupe",
        "Contacted part by group",
    ),
    "table_load": (
        "Appels par créneau (part de ce que l’équipe peut faire)",
        "Calls by slot (part of what the team can make)",
    ),
    "table_ends": (
        "Où en sont les jeunes à la fin",
        "Where the young people stand at the end",
    ),
    "arm_programme": (
        "Les règles d’aujourd’hui",
        "Today’s rules",
    ),
    "arm_today": (
        "Les règles d’aujourd’hui",
        "Today’s rules",
    ),
    "arm_tried": (
        "Le changement essayé",
        "The change tried",
    ),
    "arm_learnt": (
        "Règle qui apprend",
        "Rule that learns",
    ),
    "arm_rotation": (
        "Rotation simple",
        "Plain rotation",
    ),
    "arm_evening_first": (
        "Rotation qui commence le soir",
        "Rotation that begins in the evening",
    ),
    "arm_recycle": (
        "Relance à délai fixe (témoin)",
        "Fixed recycle (control)",
    ),
    "yes": (
        "oui",
        "yes",
    ),
    "on_average": (
        "en moyenne",
        "on average",
    ),
    "no": (
        "non",
        "no",
    ),
}
_HEADS: dict[str, tuple[str, str]] = {
    "policy": ("Politique", "Policy"),
    "contacted": ("Contactés", "Contacted"),
    "contacts": ("Écart de contacts", "Contacts against it"),
    "calls": ("Appels", "Calls"),
    "per_contact": ("Appels par contact", "Calls per contact"),
    "days": ("Jours jusqu’au contact", "Days to contact"),
    "worst": ("Groupe le moins joint", "Worst group"),
    "broken": ("Règles enfreintes", "Rules broken"),
    "change": ("Changement", "Change"),
    "enough": ("Atteint la cible", "Reaches the target"),
    "end": ("Situation", "Situation"),
}
_ENDS: dict[str, tuple[str, str]] = {
    "open": ("encore à appeler", "still to be called"),
    "never_reached": ("appels épuisés sans réponse", "all calls used, never reached"),
    "no_longer_reached": ("joint, puis plus de réponse", "reached once, then no answer"),
    "details_to_find": ("coordonnées à retrouver", "details to find"),
    "other_routes": (
        "autres voies en cours (courrier, établissement…)",
        "other routes under way (letter, school…)",
    ),
    "unreachable": ("injoignable après toutes les voies", "not reached by any route"),
    "opted_out": ("a dit STOP", "said STOP"),
    "opposition": ("ne veut plus être appelé", "wants no more calls"),
    "opposed": ("ne veut plus être appelé", "wants no more calls"),
    "appointment": ("rendez-vous pris", "appointment made"),
    "has_solution": ("déjà une solution", "already in a solution"),
    "supported_elsewhere": ("déjà accompagné", "already supported"),
    "out_of_scope": ("hors périmètre", "out of scope"),
    "hours_to_widen": ("aucune heure permise", "no permitted hour"),
}
_SLOTS = {
    "morning": ("Matin", "Morning"),
    "midday": ("Midi", "Midday"),
    "afternoon": ("Après-midi", "Afternoon"),
    "evening": ("Soirée", "Evening"),
    "saturday": ("Samedi", "Saturday"),
}
_RULES = {
    "hours": ("heures", "hours"),
    "day": ("par jour", "a day"),
    "period": ("par 30 jours", "in 30 days"),
    "total": ("en tout", "in all"),
    "slot": ("même créneau", "same slot"),
    "weekday": ("même jour de semaine", "same weekday"),
    "gap": ("trop tôt le même jour", "too soon on the same day"),
    "repeat": ("reprise d’un occupé répétée ou trop tôt", "busy line repeated twice or too soon"),
    "refusal": ("après « pas maintenant »", "after “not now”"),
    "opposition": ("après un refus définitif", "after a final refusal"),
    "guardian": ("responsable d’un majeur", "guardian of an adult"),
}
_CHANGES: dict[str, tuple[str, str]] = {
    "attempts": ("{value} appels en tout", "{value} calls in all"),
    "per_day": ("{value} appel(s) par jour", "{value} call(s) a day"),
    "per_30_days": ("{value} appels en 30 jours", "{value} calls in 30 days"),
    "evening:True": ("appels le soir", "calls in the evening"),
    "evening:False": ("plus d’appels après 17 h 30", "no calls after 17:30"),
    "saturday:True": ("samedi matin ouvert", "Saturday morning open"),
    "saturday:False": ("samedi fermé", "Saturday closed"),
    "adult_guardians:True": ("responsables des majeurs appelés aussi", "guardians of adults called too"),
    "adult_guardians:False": ("responsables des seuls mineurs", "guardians of minors only"),
    "guardian_attempts:never": (
        "responsables jamais appelés",
        "guardians never called",
    ),
    "guardian_attempts:3-6-8": ("responsable aux appels 3, 6 et 8", "guardian on calls 3, 6 and 8"),
    "guardian_attempts:2-4-6": ("responsable aux appels 2, 4 et 6", "guardian on calls 2, 4 and 6"),
    "control_share": ("{percent} % gardés en rotation", "{percent} % kept on rotation"),
    "repaired": ("{percent} % des numéros en échec réparés", "{percent} % of the failed numbers repaired"),
}


def say(key: str, language: str, **values: object) -> str:
    """A sentence of the report, its gaps filled."""
    return _pick(_SENTENCES[key], language).format(**values)


def head(name: str, language: str) -> str:
    """The head of a column; a name that is none is a label already."""
    return _pick(_HEADS[name], language) if name in _HEADS else name


def end(name: str, language: str) -> str:
    """Where somebody stands at the end."""
    return _pick(_ENDS[name], language) if name in _ENDS else name.replace("_", " ")


def slot(name: str, language: str) -> str:
    """A class of hours."""
    return _pick(_SLOTS[name], language)


def rule(name: str, language: str) -> str:
    """A house rule, in two words."""
    return _pick(_RULES[name], language)


def changes(change: Change, language: str) -> str:
    """A change in words; that nothing changes, when it is empty."""
    parts = [_changed(name, value, language) for name, value in change.values.items()]
    return ", ".join(parts) or _pick(("rien ne change", "nothing changes"), language)


def rules(kept: Mapping[str, Any], language: str) -> str:
    """The rules of a programme, as `callcentre.simulation.result.rules_of` kept them, in words."""
    limits = [_changed(name, kept[name], language) for name in ("attempts", "per_day", "per_30_days")]
    weekdays = _pick(("lundi à vendredi {spans}", "Monday to Friday {spans}"), language)
    saturday = _pick(("samedi {spans}", "Saturday {spans}"), language)
    parts = (
        ", ".join(limits),
        weekdays.format(spans=_spans(kept["weekdays"])),
        saturday.format(spans=_spans(kept["saturday"]))
        if kept["saturday"]
        else _changed("saturday", False, language),
        _guardians(kept["guardian_attempts"], language),
        _changed("adult_guardians", kept["adult_guardians"], language),
        say(f"arm_{kept['way']}", language).lower(),
    )
    return _pick((" ; ", "; "), language).join(parts)


def _guardians(calls: str | Sequence[int], language: str) -> str:
    if isinstance(calls, str):
        return _pick(
            ("responsable selon ce qui est appris", "guardian where it is learnt to be worth more"), language
        )
    if not calls:
        return _changed("guardian_attempts", "never", language)
    said = _pick(("responsable aux appels {calls}", "guardian on calls {calls}"), language)
    return said.format(calls=", ".join(map(str, calls)))


def _spans(spans: Iterable[Sequence[str]]) -> str:
    return ", ".join(f"{start}–{end}" for start, end in spans)


def _changed(name: str, value: object, language: str) -> str:
    known = _CHANGES.get(f"{name}:{value}") or _CHANGES[name]
    percent = round(100 * value) if isinstance(value, float) else value
    return _pick(known, language).format(value=value, percent=percent)


def _pick(pair: tuple[str, str], language: str) -> str:
    return pair[1] if language == "en" else pair[0]
