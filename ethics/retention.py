"""What has been kept long enough."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from storage import rights

if TYPE_CHECKING:
    from .policy import Policy
    from .rights import Holdings


def due(held: Holdings, case: str, policy: Policy, now: datetime) -> dict[str, list[str]]:
    """
    The posts of a case whose time is over, by the rule that says so: "case", or the name of a platform.

    The case's days count from the last collection. A platform's days count from when the platform was last heard
    of the post, so that a refresh within them keeps it.
    """
    found = {"case": rights.older_than(held.store, case, now - timedelta(days=policy.retention.days))}
    gone = set(found["case"])
    for platform, days in sorted(policy.retention.platforms.items()):
        moment = now - timedelta(days=days)
        heard = held.vault.heard_of(case, moment)
        old = rights.older_than(held.store, case, moment, platform)
        found[platform] = [p for p in old if p not in heard and p not in gone]
        gone.update(found[platform])
    return {rule: posts for rule, posts in found.items() if posts}
