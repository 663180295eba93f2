"""Every file of the corpus gives its expected result, row by row, and the coverage page says what it gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from callcentre.intake.reader import is_workbook
from tests.intake.corpus.outcome import differences, import_case, page_line
from tests.intake.corpus.registry import Case, Family, every_case

CASES = every_case()
PAGE = Path(__file__).parents[2] / "docs" / "intake-coverage.md"
LINES = PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_file_of_the_corpus_gives_its_expected_result(sessions: sessionmaker[Session], case: Case) -> None:
    outcome = import_case(case, sessions)
    assert differences(case, outcome) == []
    assert page_line(case, outcome) in LINES, "write the coverage page anew"


def test_a_file_of_the_corpus_is_the_same_each_time_it_is_made() -> None:
    # A workbook holds the hour at which it was made.
    made = {case.name: content for case in CASES if not is_workbook(content := case.content())}
    assert len(made) > len(CASES) / 2
    assert [case.name for case in CASES if case.name in made and case.content() != made[case.name]] == []


def test_every_family_has_files_and_the_coverage_page_names_no_other() -> None:
    assert {case.family for case in CASES} == set(Family)
    assert {line.split("`")[1] for line in LINES if line.startswith("| `")} == {case.name for case in CASES}
    assert f"{len(CASES)} small files" in "\n".join(LINES)
