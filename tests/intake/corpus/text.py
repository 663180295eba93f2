"""Corpus: encodings and text."""

from __future__ import annotations

from random import Random

from tests.intake.corpus.making import delimited, someone, table
from tests.intake.corpus.registry import Expected, Family, Person, case

BERENGER = Person(
    family_name="BÉRENGER",
    first_name="Éloïse",
    birth_date="2008-02-14",
    callable=("+33639981234", "+33639985678"),
    owners={"+33639981234": "young_person", "+33639985678": "guardian"},
)


def berenger(random: Random) -> dict[str, str]:
    """The one person of most files of this family."""
    return someone(
        random, nom="BÉRENGER", prenom="Éloïse", ne="14/02/2008", tel="0639981234", resp="0639985678"
    )


def _in(encoding: str) -> None:
    def build(random: Random) -> bytes:
        return delimited(table([berenger(random)]), encoding=encoding)

    case(
        f"text-{encoding}",
        Family.TEXT,
        build,
        Expected(people=(BERENGER,), read={"encoding": encoding}, rows={"2": "created"}),
        about=f"plain list in {encoding}",
    )


for _encoding in ("utf-8", "utf-8-sig", "cp1252"):
    _in(_encoding)
