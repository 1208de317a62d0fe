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
        """The receipt as one line for a terminal: what was skipped and why in brackets, the rest in order."""
        where = " ".join(x for x in (self.step, self.case, self.source) if x)
        return f"{where}: {self.failed or self._told() or 'nothing to do'} ({self.seconds:.1f} s)"

    def _told(self) -> str:
        plain = {k: n for k, n in self.counts.items() if n and ": " not in k}
        reasons = {k.split(": ", 1)[1]: n for k, n in self.counts.items() if k.startswith("skipped: ")}
        lost = {k.split(": ", 1)[1]: n for k, n in self.counts.items() if k.startswith("platform: ") and n}
        told = [f"{n:,} {name}{_why(reasons) if name == 'skipped' else ''}" for name, n in plain.items()]
        return ", ".join(told + [f"{lost[k]:,} {k}" for k in INCOMPLETE if k in lost])


INCOMPLETE = ("gap", "private", "deleted", "unreachable", "capped")
"""What a platform or collector reports that makes a collection incomplete: worth a place in the line."""


def _why(reasons: dict[str, int]) -> str:
    return f" ({', '.join(f'{n:,} {reason}' for reason, n in reasons.items())})" if reasons else ""
