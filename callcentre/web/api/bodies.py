"""What programs send: one frozen model for each body, and every mistake in it said by field.

Values are taken as they are written: no text for a number, no number for an instant, no field that is not known.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from flask import request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from callcentre.desk.outcomes import NOTE_LENGTH, AppointmentAsked, Outcome
from callcentre.errors import CallCentreError, InvalidInput
from callcentre.people.kinds import NumberOwner
from callcentre.web.addresses import LARGEST_ID
from callcentre.web.i18n import mark

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class NotJson(CallCentreError):
    """The body is not JSON at all."""

    code = "not_json"
    status = 400
    message = mark("Le corps de la demande n’est pas du JSON valide.")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("NUL")
    return text


def _utc(moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of range") from error
    if not EARLIEST <= moment < LATEST:
        raise ValueError("out of range")
    return moment


Text = Annotated[str, Field(max_length=NOTE_LENGTH), AfterValidator(_storable)]
Line = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class Body(BaseModel):
    """A JSON body."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AttemptBody(Body):
    """A call that is being made: the number that was clicked."""

    number_id: Id


class SkipBody(Body):
    """A person passed over: why (a code of the programme), and from when they may come back."""

    reason: Line
    not_before: Instant | None = None


class AppointmentBody(Body):
    """An appointment made during the call."""

    partner: Line
    starts_at: Instant


class OutcomeBody(Body):
    """The result of a call: a disposition of the code book, and the fields that it opens.

    `also_for`: people of the household whom the same call closes alike.
    """

    disposition: Line
    number_id: Id | None = None
    note: Text = ""
    callback_at: Instant | None = None
    callback_for_team: bool = False
    new_number: Line = ""
    new_number_owner: NumberOwner = NumberOwner.YOUNG_PERSON
    reason: Text = ""
    appointment: AppointmentBody | None = None
    also_for: Annotated[list[Id], Field(max_length=20)] = []

    def outcome(self) -> Outcome:
        """The value that the desk's verbs take."""
        made = self.appointment
        return Outcome(
            disposition=self.disposition,
            number_id=self.number_id,
            note=self.note,
            callback_at=self.callback_at,
            callback_for_team=self.callback_for_team,
            new_number=self.new_number,
            new_number_owner=self.new_number_owner,
            reason=self.reason,
            appointment=None if made is None else AppointmentAsked(made.partner, made.starts_at),
            also_for=tuple(self.also_for),
        )


class UndoBody(Body):
    """Why a supervisor takes back a result."""

    reason: Text


class PersonBody(Body):
    """Somebody to add: as written on a list, cell by cell; the day of the signal starts a minor's clock."""

    family_name: Line
    first_name: Line
    birth_date: Line
    signalled_on: Day
    origin: Literal["walk_in", "school", "partner"] = "school"
    usual_name: Line = ""
    sex: Line = ""
    ine: Line = ""
    phone: Line = ""
    email: Line = ""
    address: Line = ""
    postal_code: Line = ""
    commune: Line = ""
    guardian_family_name: Line = ""
    guardian_first_name: Line = ""
    guardian_relation: Line = ""
    guardian_phone: Line = ""
    uai: Line = ""
    school: Line = ""
    class_label: Line = ""
    exit_date: Line = ""
    exit_reason: Line = ""
    territory: Line = ""
    onto: Id | None = None
    as_new: bool = False


class SearchBody(Body):
    """Whom to find: by any form of a number (or its last four digits), or by name; one of the two."""

    number: Line | None = None
    name: Line | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if not (self.number or "").strip() and not (self.name or "").strip():
            raise ValueError("number or name")
        if self.number is not None and self.name is not None:
            raise ValueError("number or name")
        return self

    @property
    def text(self) -> str:
        """What was typed."""
        return self.number or self.name or ""


_Body = TypeVar("_Body", bound=Body)


def read(model: type[_Body]) -> _Body:
    """Return the body of this request; raises NotJson, or InvalidInput naming the first field to correct."""
    try:
        return model.model_validate_json(request.get_data() or b"null")
    except ValidationError as error:
        raise _in_words(error, model) from error


def _in_words(error: ValidationError, model: type[Body]) -> CallCentreError:
    first = error.errors(include_url=False, include_context=True)[0]
    kind, place = first["type"], first["loc"]
    if kind == "json_invalid":
        return NotJson()
    if not place:
        message = _NUMBER_OR_NAME if model is SearchBody and kind == "value_error" else _OBJECT
        return InvalidInput(message)
    field = ".".join(str(part) for part in place)
    return InvalidInput(_MESSAGES.get(kind, _OTHER), field=field)


_OBJECT = mark("Le corps de la demande doit être un objet JSON.")
_NUMBER_OR_NAME = mark("Indiquez un numéro ou un nom, l’un des deux.")
_OTHER = mark("Cette valeur ne convient pas à ce champ.")
_INSTANT = mark("Écrivez l’instant au format ISO 8601, par exemple 2026-11-24T14:30:00+01:00.")
_MESSAGES: dict[str, Any] = {
    "missing": mark("Ce champ est nécessaire."),
    "extra_forbidden": mark("Ce champ n’est pas connu."),
    "string_type": mark("Ce champ attend un texte."),
    "string_too_long": mark("Ce texte est trop long."),
    "int_type": mark("Ce champ attend un nombre entier."),
    "bool_type": mark("Ce champ attend true ou false."),
    "timezone_aware": mark(
        "Cet instant n’a pas de fuseau : écrivez-le avec, par exemple 2026-11-24T14:30:00+01:00."
    ),
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "date_type": mark("Écrivez la date au format ISO 8601, par exemple 2026-11-24."),
    "date_parsing": mark("Écrivez la date au format ISO 8601, par exemple 2026-11-24."),
    "date_from_datetime_parsing": mark("Écrivez la date au format ISO 8601, par exemple 2026-11-24."),
    "literal_error": mark("Cette valeur n’est pas de celles qui sont possibles."),
    "enum": mark("Cette valeur n’est pas de celles qui sont possibles."),
}
