"""Which column is what: synonyms, guardians, decoys, titles above, refusals that name what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcentre.errors import ConfigurationError, InvalidInput
from callcentre.intake.fields import Field
from callcentre.intake.mapping import SheetMapping, load_chosen, load_column_words, map_content, map_sheet
from callcentre.intake.reader import ListContent, Refusal, RefusalCode, Row, Sheet
from tests.intake import ground

WORDS = ground.column_words()
REQUIRED = ["Nom", "Prénom", "Né(e) le"]


def sheet(*rows: list[str], name: str = "") -> Sheet:
    return Sheet(name, tuple(Row(number, tuple(row)) for number, row in enumerate(rows, start=1)))


def fields(*headers: str, chosen: dict[str, str] | None = None) -> dict[str, tuple[Field, int]]:
    mapping = map_sheet(sheet([*REQUIRED, *headers]), WORDS, chosen=chosen)
    assert isinstance(mapping, SheetMapping)
    return {mapping.headers[c.index]: (c.field, c.rank) for c in mapping.columns if c.index > 2}


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("N° dossier", Field.SIEI),
        ("IDENTIFIANT NATIONAL", Field.INE),
        ("Mél", Field.EMAIL),
        ("C.P.", Field.POSTAL_CODE),
        ("Tél. portable *", Field.PHONE),
        ("Dernier étab.", Field.SCHOOL),
        ("UAI établissement\nd'origine", Field.UAI),
        ("Division", Field.CLASS_LABEL),
        ("SORTI LE", Field.EXIT_DATE),
        ("PSAD", Field.TERRITORY),
    ],
)
def test_headers_are_known_whatever_their_case_accents_and_breaks(header: str, field: Field) -> None:
    assert fields(header) == {header: (field, 0)}


@pytest.mark.parametrize(
    ("header", "field", "rank"),
    [
        ("Tél. responsable légal", Field.GUARDIAN_PHONE, 1),
        ("Resp. 2 - Tél. domicile", Field.GUARDIAN_PHONE, 2),
        ("RL1 Portable", Field.GUARDIAN_PHONE, 1),
        ("Nom du responsable légal 2", Field.GUARDIAN_FAMILY_NAME, 2),
        ("Prénom responsable 1", Field.GUARDIAN_FIRST_NAME, 1),
        ("Lien de parenté", Field.GUARDIAN_RELATION, 1),
        ("Tél mère", Field.GUARDIAN_PHONE, 1),
    ],
)
def test_a_guardians_columns_are_the_guardians(header: str, field: Field, rank: int) -> None:
    assert fields(header) == {header: (field, rank)}


def test_mother_and_father_are_two_guardians_in_the_order_of_the_list() -> None:
    found = fields("Nom père", "Tél père", "Nom mère", "Tél mère")
    assert [rank for _, rank in found.values()] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "header",
    [
        "Tél. établissement",
        "Nom du conseiller",
        "Tél CPE",
        "Tél. référent",
        "Commentaires",
        "Handicap",
        "Motifs divers",
    ],
)
def test_decoys_comments_and_unknown_columns_are_left_out_and_named(header: str) -> None:
    mapping = map_sheet(sheet([*REQUIRED, header]), WORDS)
    assert isinstance(mapping, SheetMapping)
    assert mapping.left_out == (header,)


def test_the_header_is_found_under_titles() -> None:
    mapping = map_sheet(sheet(["Liste de novembre"], [], [*REQUIRED, "CP"], ["MARTIN", "Léa", "", ""]), WORDS)
    assert isinstance(mapping, SheetMapping)
    assert mapping.header_row == 3


def test_missing_columns_are_named_with_those_that_were_found() -> None:
    refusal = map_sheet(sheet(["Nom", "Prénom", "Code postal"], ["MARTIN", "Léa", "13001"]), WORDS)
    assert isinstance(refusal, Refusal)
    assert refusal.code is RefusalCode.MISSING_COLUMNS
    assert "date de naissance" in refusal.fr
    assert "Code postal" in refusal.fr
    assert "birth date" in refusal.en


def test_a_sheet_without_a_header_is_refused_without_quoting_it() -> None:
    refusal = map_sheet(sheet(["MARTIN", "Léa", "14/02/2008"]), WORDS)
    assert isinstance(refusal, Refusal)
    assert refusal.code is RefusalCode.NO_HEADER
    assert "MARTIN" not in refusal.fr


def test_a_mapping_given_by_a_person_comes_first() -> None:
    chosen = {"Contact": "", "Numéro du foyer": "guardian_phone:2", "Ville": "school_commune"}
    found = fields("Contact", "Numéro du foyer", "Ville", chosen=chosen)
    assert found == {
        "Numéro du foyer": (Field.GUARDIAN_PHONE, 2),
        "Ville": (Field.SCHOOL_COMMUNE, 0),
    }


def test_a_mapping_file_is_toml_or_json(tmp_path: Path) -> None:
    toml, other = tmp_path / "mapping.toml", tmp_path / "mapping.json"
    toml.write_text('[columns]\n"Numéro du foyer" = "guardian_phone:2"\n"Contact" = ""\n')
    other.write_text('{"columns": {"Numéro du foyer": "guardian_phone:2", "Contact": ""}}')
    assert load_chosen(toml) == load_chosen(other) == {"Numéro du foyer": "guardian_phone:2", "Contact": ""}


@pytest.mark.parametrize("text", ['{"columns": {"Nom": "religion"}}', "[]", "{", '{"columns": []}'])
def test_a_wrong_mapping_file_is_refused_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mapping.json"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=r"mapping\.json"):
        load_chosen(file)


def test_sheets_without_people_do_not_bar_the_others() -> None:
    content = ListContent(
        (sheet(["Notice", "Lisez-moi"], name="Aide"), sheet(REQUIRED, name="Liste")), "xlsx"
    )
    mapped = map_content(content, WORDS)
    assert not isinstance(mapped, Refusal)
    assert [mapping.sheet for mapping in mapped] == ["Liste"]


def test_the_signature_does_not_depend_on_case_or_accents() -> None:
    one, other = (map_sheet(sheet(headers), WORDS) for headers in (REQUIRED, ["NOM", "PRENOM", "ne(e) LE"]))
    assert isinstance(one, SheetMapping)
    assert isinstance(other, SheetMapping)
    assert one.signature == other.signature


def test_a_wrong_word_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "list_columns.toml"
    file.write_text('[fields]\nunknown = ["x"]\n')
    with pytest.raises(ConfigurationError, match=r"list_columns\.toml"):
        load_column_words(file)
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        load_column_words(tmp_path / "absent.toml")
