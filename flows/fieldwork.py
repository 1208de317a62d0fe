"""The shipped fieldwork set as sources of a study: served by the replay server, or written out as exports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from collectors import Window
from storage.overview import sources

from .case import Source
from .collect import collect_source, import_as
from .errors import WrongUse
from .home import Home
from .progress import Progress
from .receipt import Receipt

PREFIX = "demo-"


@dataclass(frozen=True, slots=True)
class Place:
    """One source of the set: `place` is the path of its export, or its collector's settings as JSON."""

    case: str
    source: str
    collector: str
    place: str


@contextmanager
def served(home: Home) -> Iterator[list[Place]]:
    """
    All sources of the set, playable while the context lasts.

    Refuses a home that holds posts of a real study: invented posts must not mix with them.
    """
    from demo.make import exports
    from demo.replay import Replay

    real = [s for s in sources(home.store) if not s.startswith(PREFIX)] if home.has_store else []
    if real:
        held = ", ".join(real[:3])
        msg = f"{home.root} holds a real study ({held}); name another VELDWERK_HOME for the fieldwork set"
        raise WrongUse(msg)
    with TemporaryDirectory(prefix="veldwerk-") as folder, Replay() as server:
        yield [
            *(
                Place(case, f"{PREFIX}{s.platform}", s.collector, json.dumps(s.settings))
                for case in home.cases
                for s in server.sources(case)
            ),
            *(
                Place(e.case, f"{PREFIX}{e.format}-{n}", e.format, str(e.path))
                for case in home.cases
                for n, e in enumerate(exports(Path(folder), case), 1)
            ),
        ]


def take_in(home: Home, place: Place, progress: Progress) -> Receipt:
    """Collect or import one source of the set."""
    case = home.case(place.case)
    if place.place.startswith("{"):
        source = Source(name=place.source, collector=place.collector, settings=json.loads(place.place))
        return collect_source(home, case, source, Window(), progress, live=False)
    source = Source(name=place.source, collector=place.collector, private=place.collector == "whatsapp")
    return import_as(home, case, source, Path(place.place), progress)
