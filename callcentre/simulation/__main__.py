"""The process of one run: `python -m callcentre.simulation FOLDER`, begun by `runs.start`."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from callcentre.clock import SystemClock
from callcentre.errors import CallCentreError
from callcentre.processes import COURTESY
from callcentre.programmes import load_programmes
from callcentre.settings import load_settings
from callcentre.simulation import runs
from callcentre.simulation.refusals import CannotSimulate
from callcentre.simulation.result import simulate
from callcentre.simulation.runs import RunState


def main(folder: Path) -> int:
    """Play the run whose folder this is; the status file says how it ended."""
    request, status = runs.request_in(folder)
    work, stage = folder / runs.WORK, ["arms"]

    def report(done: int, whole: int) -> None:
        runs.check_cancelled(folder)
        runs.write_status(folder, replace(status, done=done, whole=whole, stage=stage[-1]))

    try:
        settings = load_settings()
        programmes = load_programmes(settings.config_dir / "programmes", settings.retry)
        if request.programme not in programmes:
            raise CannotSimulate(f"There is no programme {request.programme}.")
        spare = max(1, (os.cpu_count() or 1) - 1)  # one processor stays the site's
        found = simulate(
            request,
            programmes[request.programme],
            live=settings,
            folder=work,
            processes=spare,
            report=report,
            advising=lambda: stage.append("advice"),
        )
        runs.write_result(folder, found)
        state, problem = RunState.DONE, ""
    except CallCentreError as error:
        cancelled = error.code == "cancelled"
        state, problem = (RunState.CANCELLED, "") if cancelled else (RunState.FAILED, str(error))
    except Exception as error:
        state, problem = RunState.FAILED, type(error).__name__
    finally:
        shutil.rmtree(work, ignore_errors=True)
    ended = SystemClock().now().isoformat()
    _, last = runs.request_in(folder)
    runs.write_status(folder, replace(last, state=state, problem=problem, ended_at=ended))
    return 0 if state is RunState.DONE else 1


if __name__ == "__main__":
    os.nice(COURTESY)
    sys.exit(main(Path(sys.argv[1])))
