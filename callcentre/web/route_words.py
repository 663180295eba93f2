"""The words of the other routes: what came of a step, and why a route is not possible."""

from __future__ import annotations

from callcentre.planning.kinds import StepResult
from callcentre.web.i18n import mark

RESULTS = {
    StepResult.BY_PLAN: mark("fait par les appels"),
    StepResult.SENT: mark("envoyé"),
    StepResult.FOUND: mark("numéro trouvé"),
    StepResult.NOTHING: mark("rien trouvé"),
}

WHY_NOT = {
    "no_other_number": mark("aucun autre numéro connu"),
    "no_guardian_number": mark("aucun numéro de responsable"),
    "guardian_not_called": mark("responsable connu, que les appels n’ont pas essayé"),
    "adult": mark("majeur : ses proches ne sont pas appelés"),
    "asked_lately": mark("déjà demandé il y a peu"),
    "no_mobile": mark("aucun mobile utilisable"),
    "no_email": mark("aucun courriel connu"),
    "no_address": mark("aucune adresse complète"),
    "no_school": mark("établissement inconnu"),
    "no_peer": mark("aucun camarade nommé"),
}
