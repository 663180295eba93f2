"""Simulations that were asked for, each a folder of files beside the data: the request, how far it is, what came of it.

One runs at a time, in a process of its own that holds a lock on its folder as long as it lives: a run whose lock is
free without being at its end was interrupted. The process is told where the configuration is, and nothing of the live
database but the file that it must refuse.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.engine import make_url

from callcentre.errors import NotAllowed, NotFound
from callcentre.settings import PREFIX, Settings
from callcentre.simulation.refusals import Cancelled
from callcentre.simulation.request import Request
from callcentre.simulation.result import Result

FOLDER = "simulations"
KEPT = 30
"""Runs that are kept; older ones are deleted when a new one begins."""
WORK = "work"
"""The folder, in a run's own, of the databases that it plays in."""
_NAME = re.compile(r"\d{8}-\d{6}(-\d+)?")
_REQUEST, _STATUS, _RESULT, _CANCEL, _LOCK = "request.json", "status.json", "result.json", "cancel", "lock"


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Status:
    """How far a run is, in thousandths of the arms that it plays; `problem` says why one failed."""

    state: RunState
    started_at: str
    done: int = 0
    whole: int = 0
    stage: str = "arms"
    """`arms`, then `advice` while it looks for what would reach the target."""
    problem: str = ""
    ended_at: str = ""


@dataclass(frozen=True)
class Run:
    """One run as its folder tells."""

    id: str
    request: Request
    status: Status
    by: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it is on its way."""
        return self.status.state is RunState.RUNNING


def start(
    settings: Settings, request: Request, *, by: str, now: datetime
) -> tuple[str, subprocess.Popen[bytes]]:
    """Begin a run in a process of its own; return its id and that process, which the caller looks after.

    Raises NotAllowed while another one is running.
    """
    home = settings.data_dir / FOLDER
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home):
        if any(run.is_running for run in runs(settings)):
            raise NotAllowed(
                "Une simulation est déjà en cours : attendez sa fin ou arrêtez-la.", reason="already_running"
            )
        _forget_old(home)
        folder = _new_folder(home, now)
        (folder / _REQUEST).write_text(
            json.dumps({"request": request.model_dump(mode="json"), "by": by}), encoding="utf-8"
        )
        write_status(folder, Status(RunState.RUNNING, now.isoformat()))
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = _spawn(settings, folder, lock)
        finally:
            os.close(lock)  # the child holds the same lock for as long as it lives
    return folder.name, process


def runs(settings: Settings) -> list[Run]:
    """Every run that is kept, the newest first."""
    home = settings.data_dir / FOLDER
    names = sorted(
        (path.name for path in home.iterdir() if _NAME.fullmatch(path.name)) if home.is_dir() else (),
        reverse=True,
    )
    found = []
    for name in names:
        try:
            found.append(run(settings, name))
        except NotFound:
            continue  # it is being deleted, or was never written whole
    return found


def run(settings: Settings, run_id: str) -> Run:
    """One run; raises NotFound. The databases of one that was interrupted are removed when that is found out."""
    folder = _folder(settings, run_id)
    try:
        kept = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))
        told = json.loads((folder / _STATUS).read_text(encoding="utf-8"))
        status = Status(**{**told, "state": RunState(told["state"])})
        request = Request.model_validate(kept["request"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound("simulation") from error
    if status.state is RunState.RUNNING and not _is_held(folder):
        after = json.loads((folder / _STATUS).read_text(encoding="utf-8"))  # it may have ended just now
        ended = RunState(after["state"])
        state = RunState.INTERRUPTED if ended is RunState.RUNNING else ended
        status = Status(**{**after, "state": state})
        shutil.rmtree(folder / WORK, ignore_errors=True)
    return Run(run_id, request, status, kept.get("by", ""))


def result(settings: Settings, run_id: str) -> Result:
    """What came of a run; raises NotFound while nothing has."""
    try:
        return Result.load(_folder(settings, run_id) / _RESULT)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound("simulation") from error


def cancel(settings: Settings, run_id: str) -> bool:
    """Ask a run to stop, which it does at the end of the day that it is playing; False when it is at its end."""
    if not run(settings, run_id).is_running:
        return False
    (_folder(settings, run_id) / _CANCEL).touch()
    return True


def delete(settings: Settings, run_id: str) -> None:
    """Forget a run that is at its end; raises NotAllowed while it is running."""
    if run(settings, run_id).is_running:
        raise NotAllowed("Arrêtez d'abord cette simulation.", reason="already_running")
    shutil.rmtree(_folder(settings, run_id), ignore_errors=True)


# ---- the side of the process that plays


def write_status(folder: Path, status: Status) -> None:
    """Say how far a run is; whole or not at all."""
    _write(folder / _STATUS, json.dumps(asdict(status)))


def write_result(folder: Path, found: Result) -> None:
    """Keep what came of a run."""
    _write(folder / _RESULT, json.dumps(found.as_json()))


def request_in(folder: Path) -> tuple[Request, Status]:
    """The request of a run's folder, and how far it is."""
    kept = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))
    told = json.loads((folder / _STATUS).read_text(encoding="utf-8"))
    return Request.model_validate(kept["request"]), Status(**{**told, "state": RunState(told["state"])})


def check_cancelled(folder: Path) -> None:
    """Raise Cancelled once somebody has asked the run to stop."""
    if (folder / _CANCEL).exists():
        raise Cancelled("The simulation was stopped.")


def _write(file: Path, text: str) -> None:
    draft = file.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


# ---- folders and locks


def _spawn(settings: Settings, folder: Path, lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  (our own module, no words of anybody)
        [sys.executable, "-m", "callcentre.simulation", str(folder.resolve())],
        env=_environment(settings),
        pass_fds=(lock,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def _environment(settings: Settings) -> dict[str, str]:
    """What the process may know: no secret, no provider, and of the database only a file to keep away from."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    kept |= {
        f"{PREFIX}CONFIG_DIR": str(settings.config_dir.resolve()),
        f"{PREFIX}DATA_DIR": str(settings.data_dir.resolve()),
        f"{PREFIX}PROGRAMME": settings.programme,
        f"{PREFIX}MODE": "offline",
        f"{PREFIX}SECRET_KEY": "simulation",
    }
    if settings.database_url and make_url(settings.database_url).get_backend_name() == "sqlite":
        kept[f"{PREFIX}DATABASE_URL"] = settings.database_url
    return kept


def _new_folder(home: Path, now: datetime) -> Path:
    stem = f"{now:%Y%m%d-%H%M%S}"
    for number in range(1000):
        folder = home / (f"{stem}-{number}" if number else stem)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise NotAllowed(
        "Une simulation est déjà en cours : attendez sa fin ou arrêtez-la.", reason="already_running"
    )


def _forget_old(home: Path) -> None:
    known = sorted(path for path in home.iterdir() if _NAME.fullmatch(path.name))
    for folder in known[: max(0, len(known) - KEPT + 1)]:
        shutil.rmtree(folder, ignore_errors=True)


def _folder(settings: Settings, run_id: str) -> Path:
    if not _NAME.fullmatch(run_id):
        raise NotFound("simulation")
    return settings.data_dir / FOLDER / run_id


def _is_held(folder: Path) -> bool:
    """Whether a process holds the run's lock."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one request at a time begin a run, over all processes."""
    lock = os.open(home / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
