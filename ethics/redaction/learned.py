"""
What the redactor missed and coders reported: found everywhere from then on, and taken out of what is stored.

The values are kept in the encrypted store, sealed once more under a key of their own; the trail holds counts alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from collectors import Sealed
from storage import learned as kept

from ..outputs import files_holding, files_saying
from .found import LABELS, settle
from .known import Known
from .reading import read

if TYPE_CHECKING:
    from storage import Store

    from ..rights import Holdings
    from ..seal import Seal


@dataclass(frozen=True, slots=True)
class Learnt:
    """New values, texts changed, places in them, files removed that held the old texts."""

    values: int = 0
    texts: int = 0
    places: int = 0
    files: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "files": list(self.files)}


def known_in(store: Store, seal: Seal, case: str) -> Known:
    """What was learned in a case, for a redactor."""
    return _known((kind, seal.open(value)) for kind, value in kept.learned(store, case))


def _known(values: Iterable[tuple[str, Sealed]]) -> Known:
    return Known.of(values=[(value.reveal(), kind) for kind, value in values])


def learn(held: Holdings, seal: Seal, case: str, missed: Iterable[tuple[str, Sealed]]) -> Learnt:
    """
    Take in (type, value) pairs that were missed in a case.

    Every stored text of the case gets `[PERSOON]` and the like in their place, without a number: which person of
    its thread it was is known no more. Files of the home that hold the old texts or a value are removed.
    """
    told = list(missed)
    proofs = [
        (held.audit.proof(f"{case}\0{kind}\0{value.reveal().lower()}"), kind, seal(value)) for kind, value in told
    ]
    values = kept.remember(held.store, case, proofs)
    known = _known(told)

    def find(text: str) -> list[kept.Replacement]:
        reading = read(text)
        found = map(reading.place, settle(reading.plain, known.find(reading)))
        return [(f.start, f.end, f.type, f"[{LABELS[f.type]}]") for f in found]

    replaced = kept.replace_in_texts(held.store, case, find)
    if replaced.texts:
        held.store.rewrite()
    values_told = [value.reveal() for _, value in told]
    files = sorted({*files_holding(held.root, (), replaced.before), *files_saying(held.root, values_told)})
    for path in files:
        path.unlink()
    learnt = Learnt(values, replaced.texts, replaced.places, tuple(str(f.relative_to(held.root)) for f in files))
    held.audit.append(
        "learn", case=case, types=dict(Counter(kind for kind, _ in told)), values=values, texts=learnt.texts,
        places=learnt.places, files=len(files),
    )  # fmt: skip
    return learnt
