"""What may be collected at all: nothing without the approvals, legal basis and consent that a case needs."""

from __future__ import annotations

from datetime import date

from .policy import Approval, Policy, Refused

APPROVED_BY_PLATFORM = {"reddit": "Reddit gives out API keys only after an approval of its own"}
"""Platforms whose live interface may be used only with an approval by the platform, and why."""

PRIVATE_ALWAYS = frozenset({"whatsapp"})
"""Platforms on which every group is private."""


def permit(policy: Policy, *, platform: str, private: bool, live: bool, today: date | None = None) -> str | None:
    """
    Whether the protocol allows taking posts in; returns a notice that the person should see, or None.

    Refused, saying which entry of the case file is missing, without ethics approval, legal basis, the
    platform's own approval (live collection of platforms that demand one), or recorded consent (private
    groups); with one that has run out; and for live collection with a shipped EXAMPLE in its place.
    """
    day = today or date.today()
    examples = [_checked(policy.ethics_approval, "policy.ethics_approval", "an ethics approval", day, live)]
    if policy.legal_basis is None:
        msg = "refused: the case has no legal basis; fill in policy.legal_basis in its case file"
        raise Refused(msg)
    if live and platform in APPROVED_BY_PLATFORM:
        where = f"policy.platforms.{platform}"
        why = f"an approval by the platform ({APPROVED_BY_PLATFORM[platform]})"
        examples.append(_checked(policy.platforms.get(platform), where, why, day, live))
    if private or platform in PRIVATE_ALWAYS:
        examples.append(_checked(policy.consent, "policy.consent", "recorded consent for private groups", day, live))
    named = [where for where in examples if where]
    if not named:
        return None
    return f"{', '.join(named)} is the shipped EXAMPLE: fine for trying out, not for research"


def _checked(approval: Approval | None, where: str, what: str, day: date, live: bool) -> str:
    """Refuse when *approval* does not hold; *where* when it is an example, else nothing."""
    if approval is None:
        msg = f"refused: the case lacks {what}; fill in {where} in its case file"
        raise Refused(msg)
    if approval.until is not None and approval.until < day:
        msg = f"refused: {where} ran out on {approval.until}; have it renewed, and enter the new date in the case file"
        raise Refused(msg)
    if approval.example and live:
        msg = f"refused: {where} is the shipped EXAMPLE; enter your own reference before you collect from a platform"
        raise Refused(msg)
    return where if approval.example else ""
