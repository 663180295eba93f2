"""A simulation cannot touch live data: its own new file, the configured database refused, nobody to telephone with."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

import callcentre.simulation
from callcentre import migrations
from callcentre.database import make_engine, make_session_factory, writing
from callcentre.directory.programmes import synchronise
from callcentre.simulation import full
from callcentre.simulation.arms import Way, arm
from callcentre.simulation.ground import fresh_ground
from callcentre.simulation.population import populate
from callcentre.simulation.refusals import CannotSimulate
from callcentre.simulation.runs import _environment
from tests.simulation.ground import programme, settings, small_world

START = datetime(2026, 9, 1, 8, tzinfo=UTC)


def _live_database(folder: Path) -> Path:
    """The configured database of an installation, with its programme in it."""
    live = settings(folder)
    folder.mkdir(parents=True, exist_ok=True)
    engine = make_engine(live.url)
    migrations.upgrade(engine)
    with writing(make_session_factory(engine)) as session:
        synchronise(session, [programme()])
    engine.dispose()
    return folder / "callcentre.sqlite3"


def _print_of(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def test_playing_leaves_the_live_database_as_it_is(tmp_path: Path) -> None:
    live_folder = tmp_path / "live"
    file = _live_database(live_folder)
    before, touched = _print_of(live_folder), file.stat().st_mtime_ns
    world = small_world(people=30, days=5)
    house = programme(world)
    year = full.play(
        arm(house, Way.ROTATION),
        populate(world, 1, house.period.first_day),
        file=tmp_path / "apart" / "own.sqlite3",
        live=settings(live_folder),
    )
    assert year.calls > 0
    assert _print_of(live_folder) == before
    assert file.stat().st_mtime_ns == touched
    assert list((tmp_path / "apart").iterdir()) == []


def test_the_configured_database_is_refused_whatever_way_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    live = settings(folder)
    folder.mkdir()
    roundabout = folder / ".." / "live" / "callcentre.sqlite3"
    for file in (folder / "callcentre.sqlite3", roundabout):
        with pytest.raises(CannotSimulate, match="configured database"), _ground(file, live):
            raise AssertionError("it was opened")
    assert list(folder.iterdir()) == []
    other = live.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"})
    with (
        pytest.raises(CannotSimulate, match="configured database"),
        _ground(tmp_path / "elsewhere.sqlite3", other),
    ):
        raise AssertionError("it was opened")


def test_a_file_that_exists_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "somebody's.sqlite3"
    file.write_bytes(b"theirs")
    with pytest.raises(CannotSimulate, match="exists already"), _ground(file, settings(tmp_path / "live")):
        raise AssertionError("it was opened")
    assert file.read_bytes() == b"theirs"


def test_the_ground_has_a_clock_of_its_own_and_no_provider(tmp_path: Path) -> None:
    live = settings(tmp_path / "live").model_copy(update={"mode": "sandbox"})
    with _ground(tmp_path / "own.sqlite3", live) as runtime:
        assert runtime.settings.mode == "offline"
        assert runtime.clock.now() == START
        assert str(runtime.engine.url.database) == str(tmp_path / "own.sqlite3")
    assert not (tmp_path / "own.sqlite3").exists()


def test_no_module_of_the_simulation_knows_a_provider_or_the_live_runtime() -> None:
    folder = Path(callcentre.simulation.__file__).parent
    names = {
        alias
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in (
            [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)]
            if isinstance(node, ast.ImportFrom)
            else [one.name for one in node.names]
        )
    }
    assert not [name for name in names if "twilio" in name or "provider" in name or "build_runtime" in name]


def test_the_process_of_a_run_is_told_no_secret_and_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLCENTRE_DATABASE_URL", "postgresql://callcentre:hidden@db.example/live")
    monkeypatch.setenv("CALLCENTRE_TWILIO_AUTH_TOKEN", "hidden")
    live = settings(tmp_path).model_copy(
        update={"database_url": "postgresql://callcentre:hidden@db.example/live", "secret_key": "hidden"}
    )
    told = _environment(live)
    assert not [name for name, value in told.items() if "hidden" in value]
    assert told["CALLCENTRE_MODE"] == "offline"


def _ground(file: Path, live: object):  # type: ignore[no-untyped-def]
    return fresh_ground(file, programme(), live=live, start=START)  # type: ignore[arg-type]
