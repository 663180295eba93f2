"""`python -m tests.intake.corpus`: import every file of the corpus and write docs/intake-coverage.md.

With `--out FOLDER`, also write the files themselves, each with its expected result beside it.
"""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from callcentre.database import make_engine, make_session_factory
from tests.intake.corpus.outcome import differences, import_case, page_line
from tests.intake.corpus.registry import SEED, Case, every_case
from tests.schema import create_schema

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "intake-coverage.md"


def main() -> int:
    """Run the corpus, write the page, and return how many files gave something else than expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.intake.corpus", description=__doc__)
    parser.add_argument("--out", type=Path, help="also write the files and their expected results here")
    parser.add_argument(
        "--only", default="", help="only cases whose name contains this; the page stays as it is"
    )
    asked = parser.parse_args()
    cases = [case for case in every_case() if asked.only in case.name]
    if asked.out is not None:
        _write_files(cases, asked.out)
    lines, wrong = _run(cases)
    if not asked.only:
        PAGE.write_text("\n".join([*_head(len(cases), wrong), *lines, ""]), encoding="utf-8")
    sys.stdout.write(f"{len(cases)} files, {wrong} not as expected\n")
    return wrong


def _write_files(cases: list[Case], folder: Path) -> None:
    for case in cases:
        target = folder / case.family.name.lower() / case.name
        target.mkdir(parents=True, exist_ok=True)
        name = case.file_name if case.file_name.isprintable() and "/" not in case.file_name else "liste.csv"
        (target / name).write_bytes(case.content())
        (target / "expected.json").write_text(case.expected_json() + "\n", encoding="utf-8")


def _run(cases: list[Case]) -> tuple[list[str], int]:
    lines: list[str] = []
    wrong = 0
    with TemporaryDirectory() as name:
        template = Path(name) / "template.sqlite3"
        create_schema(f"sqlite:///{template}")
        for family, members in groupby(cases, key=lambda case: case.family):
            lines += [
                "",
                f"## {family}",
                "",
                "| file | what is hard | what it gives | |",
                "|---|---|---|---|",
            ]
            for case in members:
                line, is_wrong = _line(case, template, Path(name) / f"{case.name}.sqlite3")
                lines.append(line)
                wrong += is_wrong
    return lines, wrong


def _line(case: Case, template: Path, file: Path) -> tuple[str, bool]:
    file.write_bytes(template.read_bytes())
    engine = make_engine(f"sqlite:///{file}")
    outcome = import_case(case, make_session_factory(engine))
    engine.dispose()
    file.unlink()
    unlike = differences(case, outcome)
    for one in unlike:
        sys.stdout.write(f"{case.name}: {one}\n")
    return page_line(case, outcome, is_expected=not unlike), bool(unlike)


def _head(count: int, wrong: int) -> list[str]:
    return [
        "# What the intake makes of hard files",
        "",
        f"{count} small files, made by code from the seed {SEED} (`tests/intake/corpus/`), each imported into an empty",
        f"database and compared with its expected result; {count - wrong} give it. The same comparison runs with the",
        "tests. `python -m tests.intake.corpus` writes this page anew, and with `--out FOLDER` the files and their",
        "expected results.",
    ]


if __name__ == "__main__":
    sys.exit(min(main(), 1))
