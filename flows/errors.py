"""Faults of use: what the person at the keyboard can put right."""

from __future__ import annotations


class WrongUse(Exception):
    """Wrong usage, unknown case or unreadable input; the message says what, where and the way out. Exit code 2."""


class WorkFailed(Exception):
    """The work failed, or a part of it did; the message says what, where and what to do. Exit code 1."""
