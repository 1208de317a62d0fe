"""What may be collected: each approval, basis and consent is asked for where it is needed, and named when it lacks."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import pytest

from ethics.permits import permit
from ethics.policy import Approval, Policy, Refused

from .entrance import POLICY

TODAY = date(2025, 6, 1)
EXAMPLE = Approval(reference="EXAMPLE-1", body="board")
OLD = Approval(reference="ERB-1", body="board", until=date(2025, 5, 31))


def asked(policy: Policy, platform: str = "mastodon", *, private: bool = False, live: bool = True) -> str | None:
    return permit(policy, platform=platform, private=private, live=live, today=TODAY)


def lacking(**fields: Any) -> Policy:
    return POLICY.model_copy(update=fields)


@pytest.mark.parametrize(
    ("platform", "private", "live"), product(["mastodon", "reddit", "whatsapp"], [False, True], [False, True])
)
def test_a_complete_protocol_is_allowed_in_silence(platform: str, private: bool, live: bool) -> None:
    """With all approvals nothing is refused and nothing said."""
    assert asked(POLICY, platform, private=private, live=live) is None


@pytest.mark.parametrize(
    ("policy", "where", "how"),
    [
        (lacking(ethics_approval=None), "policy.ethics_approval", {}),
        (lacking(ethics_approval=None), "policy.ethics_approval", {"live": False}),
        (lacking(ethics_approval=OLD), "policy.ethics_approval ran out on 2025-05-31", {}),
        (lacking(legal_basis=None), "policy.legal_basis", {}),
        (lacking(legal_basis=None), "policy.legal_basis", {"live": False}),
        (lacking(platforms={}), "policy.platforms.reddit", {"platform": "reddit"}),
        (lacking(platforms={"reddit": OLD}), "policy.platforms.reddit ran out", {"platform": "reddit"}),
        (
            lacking(platforms={"reddit": EXAMPLE}),
            "policy.platforms.reddit is the shipped EXAMPLE",
            {"platform": "reddit"},
        ),
        (lacking(consent=None), "policy.consent", {"private": True}),
        (lacking(consent=None), "policy.consent", {"platform": "telegram", "private": True, "live": False}),
        (lacking(consent=None), "policy.consent", {"platform": "whatsapp", "live": False}),
        (lacking(consent=OLD), "policy.consent ran out", {"private": True}),
        (lacking(consent=EXAMPLE), "policy.consent is the shipped EXAMPLE", {"private": True}),
        (lacking(ethics_approval=EXAMPLE), "policy.ethics_approval is the shipped EXAMPLE", {}),
    ],
)
def test_what_lacks_is_refused_by_name(policy: Policy, where: str, how: dict[str, Any]) -> None:
    """The message names the entry of the case file that has to be filled in."""
    with pytest.raises(Refused, match=where):
        asked(policy, **how)


def test_examples_do_for_imports_with_a_notice() -> None:
    """A shipped example lets one try things out with files, and says that it is one."""
    policy = lacking(ethics_approval=EXAMPLE, consent=EXAMPLE)
    notice = asked(policy, "whatsapp", private=True, live=False)
    assert notice is not None
    assert "policy.ethics_approval, policy.consent" in notice


def test_what_is_not_needed_is_not_asked() -> None:
    """No consent for public places, no platform's approval for files or for platforms that demand none."""
    bare = lacking(consent=None, platforms={})
    assert asked(bare, "mastodon") is None
    assert asked(bare, "reddit", live=False) is None
