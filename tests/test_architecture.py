"""House rules that no lint knows: who reads the clock, who commits, how things are named."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = [ROOT / "callcentre", ROOT / "workers"]
LONGEST_FILE = 600
LONGEST_FUNCTION = 60
VAGUE = {"common", "helpers", "manager", "misc", "repository", "services", "utils"}
CLOCK_READERS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.localtime",
}
EDGES = ("callcentre/database.py", "callcentre/migrations/", "callcentre/web/transaction.py")


def _sources(*folders: Path) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_only_the_clock_reads_the_wall_clock() -> None:
    readers = [
        f"{path}:{line}"
        for path, tree in _sources(*PRODUCT)
        for name, line in _calls(tree)
        if name in CLOCK_READERS and path != "callcentre/clock.py"
    ]
    assert readers == []


def test_transactions_end_only_at_an_edge() -> None:
    committers = [
        f"{path}:{line}"
        for path, tree in _sources(*PRODUCT)
        for name, line in _calls(tree)
        if name.endswith((".commit", ".rollback")) and not path.startswith(EDGES)
    ]
    assert committers == []


def test_modules_are_named_for_what_they_hold() -> None:
    assert [path for path, _ in _sources(*PRODUCT) if set(Path(path).with_suffix("").parts) & VAGUE] == []


def test_files_and_functions_stay_readable() -> None:
    long = []
    for path, tree in _sources(*PRODUCT):
        if path.startswith("callcentre/migrations/versions/"):
            continue
        lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
        if lines > LONGEST_FILE:
            long.append(f"{path}: {lines} lines")
        long += [
            f"{path}:{node.lineno} {node.name}: {_length(node)} lines"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) > LONGEST_FUNCTION
        ]
    assert long == []


@pytest.mark.parametrize(
    "forbidden",
    ["sleep", "pytest.skip", "pytest.importorskip", "pytest.xfail", "monkeypatch.setattr", "patch"],
)
def test_tests_neither_sleep_nor_skip_nor_patch(forbidden: str) -> None:
    found = [
        f"{path}:{line}"
        for path, tree in _sources(ROOT / "tests")
        for name, line in _calls(tree)
        if name == forbidden or name.endswith(f".{forbidden}")
    ]
    # The guardian of the test server waits where the system offers nothing to wait for.
    assert [place for place in found if not place.startswith("tests/postgresql.py:")] == []


def test_no_test_is_marked_as_skipped_or_failing() -> None:
    marks = [
        f"{path}:{node.lineno}"
        for path, tree in _sources(ROOT / "tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in {"pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"}
    ]
    assert marks == []


def test_requirement_files_are_hashed_and_name_no_index() -> None:
    for name in ("requirements.txt", "config/requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        pins = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
        assert all(line.rstrip().endswith("\\") for line in pins)
