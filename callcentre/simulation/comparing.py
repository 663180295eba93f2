"""Playing several arms under several seeds, in processes of their own, with one luck for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from callcentre.processes import begin_as_helper
from callcentre.settings import Settings
from callcentre.simulation.arms import Arm
from callcentre.simulation.population import populate
from callcentre.simulation.record import Year
from callcentre.simulation.refusals import Cancelled
from callcentre.simulation.request import Resolution
from callcentre.simulation.worlds import World

Report = Callable[[int, int], None]
"""Told on the way: thousandths played, thousandths in all; raises Cancelled to stop."""
WHOLE = 1000
_LOOK_EVERY_SECONDS = 0.5
_shared: dict[str, Any] = {}
"""In a process that plays: how far each task has come, and the sign to stop."""


@dataclass(frozen=True)
class Task:
    """One arm under one seed; `file` is the database of its own for a full one."""

    number: int
    arm: Arm
    world: World
    seed: int
    start: date
    resolution: Resolution
    file: Path | None = None
    live: Settings | None = None


@dataclass(frozen=True)
class Field:
    """Where and how arms are played: the world, the seeds, the resolution, the folder for databases, processes."""

    world: World
    seeds: tuple[int, ...]
    start: date
    resolution: Resolution
    folder: Path
    live: Settings
    processes: int = 1


def compare(field: Field, arms: Sequence[Arm], report: Report | None = None) -> dict[str, list[Year]]:
    """Play every arm under every seed; return the years by the arm's name, in the order of the seeds."""
    tasks = [
        Task(
            number=number,
            arm=arm,
            world=arm.world(field.world),
            seed=seed,
            start=field.start,
            resolution=field.resolution,
            file=field.folder / f"simulation-{number}.sqlite3",
            live=field.live,
        )
        for number, (seed, arm) in enumerate((seed, arm) for seed in field.seeds for arm in arms)
    ]
    report = report or (lambda _done, _whole: None)
    years = _alone(tasks, report) if field.processes <= 1 else _together(tasks, field.processes, report)
    found: dict[str, list[Year]] = {arm.name: [] for arm in arms}
    for year in years:
        found[year.arm].append(year)
    return found


def play_one(task: Task, report: Report | None = None) -> Year:
    """Play one task in this process."""
    from callcentre.simulation import (
        full,
        light,
    )  # slow to load, and not needed by pages that only show results

    population = populate(task.world, task.seed, task.start)
    if task.resolution is Resolution.LIGHT:
        return light.play(task.arm, population, report=report)
    assert task.file is not None
    assert task.live is not None
    return full.play(task.arm, population, file=task.file, live=task.live, report=report)


def _alone(tasks: Sequence[Task], report: Report) -> list[Year]:
    years = []
    for number, task in enumerate(tasks):

        def day(done: int, days: int, before: int = number) -> None:
            report(before * WHOLE + WHOLE * done // days, len(tasks) * WHOLE)

        years.append(play_one(task, day))
    return years


def _together(tasks: Sequence[Task], processes: int, report: Report) -> list[Year]:
    context = get_context("spawn")
    progress, stop = context.Array("i", len(tasks)), context.Event()
    with ProcessPoolExecutor(
        min(processes, len(tasks)), mp_context=context, initializer=_begin, initargs=(progress, stop)
    ) as pool:
        waiting: set[Future[Year]] = set()
        try:
            futures = [pool.submit(_play_apart, task) for task in tasks]
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, _LOOK_EVERY_SECONDS, FIRST_COMPLETED)
                for future in done:
                    future.result()  # an error ends everything at once
                report(sum(progress[:]), len(tasks) * WHOLE)
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _begin(progress: Any, stop: Any) -> None:
    """Make ready a process that plays: officers' claims go before it."""
    begin_as_helper()
    _shared.update(progress=progress, stop=stop)


def _play_apart(task: Task) -> Year:
    def day(done: int, days: int) -> None:
        if _shared["stop"].is_set():
            raise Cancelled("The simulation was stopped.")
        _shared["progress"][task.number] = WHOLE * done // days

    return play_one(task, day)
