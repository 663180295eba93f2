"""What the tests of simulations share: small worlds, the example programme, settings of an installation."""

from __future__ import annotations

from pathlib import Path

from callcentre.programmes import Programme, load_programmes
from callcentre.settings import Settings, load_settings
from callcentre.simulation.arms import staffed
from callcentre.simulation.worlds import World, load_world

CONFIG = Path(__file__).resolve().parents[2] / "config"


def settings(folder: Path) -> Settings:
    """The settings of an installation whose data is in `folder`."""
    return load_settings({"CALLCENTRE_DATA_DIR": str(folder), "CALLCENTRE_SECRET_KEY": "for tests only"})


def small_world(*, people: int = 60, days: int = 45, code: str = "ordinary") -> World:
    """A world of the project, made small; everybody is on the first list."""
    world = load_world(CONFIG / "worlds" / f"{code}.toml").resized(people, days=days)
    waves = world.arrivals.model_copy(
        update={"waves": (world.arrivals.waves[0].model_copy(update={"share": 1.0}),)}
    )
    return world.model_copy(update={"arrivals": waves})


def programme(world: World | None = None) -> Programme:
    """The example programme with its constants, staffed for a world."""
    found = load_programmes(CONFIG / "programmes", settings(CONFIG).retry)["bouches-du-rhone"]
    return found if world is None else staffed(found, world)
