"""Receipts: what a step did, in counts."""

from __future__ import annotations

from flows.receipt import Receipt


def test_a_line_tells_what_was_skipped_and_why() -> None:
    """A receipt's line tells read, stored and skipped with the reasons, and what makes a collection incomplete."""
    counts = {"read": 9, "stored": 6, "duplicates": 0, "skipped": 3, "skipped: deleted": 1, "skipped: empty": 2}
    counts |= {"platform: requests": 4, "platform: gap": 1}
    receipt = Receipt("import", "scam-fighters", "whatsapp", counts, 0.25)
    told = "import scam-fighters whatsapp: 9 read, 6 stored, 3 skipped (1 deleted, 2 empty), 1 gap (0.2 s)"
    assert receipt.line() == told


def test_a_failed_step_tells_why() -> None:
    """A failed step's line is its failure, and a step without counts had nothing to do."""
    assert Receipt("code", "a", failed="no such coder").line() == "code a: no such coder (0.0 s)"
    assert Receipt("code", "a").line() == "code a: nothing to do (0.0 s)"
