"""What a step did: the only thing besides ids, dates and paths that flows hand on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    Counts by outcome and seconds; never text.

    `failed` is empty, or one line saying what went wrong and what to do, without content or identity.
    """

    step: str
    case: str = ""
    source: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    failed: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The receipt as plain JSON values."""
        return asdict(self)

    def line(self) -> str:
        """The receipt as one line for a terminal."""
        where = " ".join(x for x in (self.step, self.case, self.source) if x)
        told = self.failed or ", ".join(f"{n:,} {name}" for name, n in self.counts.items() if n) or "nothing to do"
        return f"{where}: {told} ({self.seconds:.1f} s)"
