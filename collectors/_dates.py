"""Dates as tables and transcripts write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from ._stream import moment

_DMY = re.compile(
    r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[ T,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?: ?([AaPp])\.?[Mm]\.?)?)?"
)
_EXCEL = datetime(1899, 12, 30)


def moment_of(value: object, zone: ZoneInfo, order: str = "dmy", form: str = "") -> datetime | None:
    """
    The UTC time in a table's cell; None when there is none.

    Takes dates and times, epochs, ISO 8601, mail dates, Excel's serial days, and day-month-year (or, with
    *order* "mdy", month-day-year) with or without a time; *form*, a pattern of strptime, comes before all.
    A time without a zone is in *zone*.
    """
    if isinstance(value, datetime):
        return _utc(value, zone)
    if isinstance(value, date):
        return _utc(datetime.combine(value, time()), zone)
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if form:
        return _by_form(text, form, zone)
    for reading in (_excel, _iso, _day_first):
        if (local := reading(text, order)) is not None:
            return _utc(local, zone)
    return when(text)


def _by_form(text: str, form: str, zone: ZoneInfo) -> datetime | None:
    try:
        return _utc(datetime.strptime(text, form), zone)
    except ValueError:
        return None


def _utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    try:
        return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def _excel(text: str, order: str) -> datetime | None:
    """Days since 1900 as Excel counts them: 1954 to 2119, so that no epoch is taken for one."""
    if not re.fullmatch(r"\d{5}(?:\.\d+)?", text) or not 20_000 < float(text) < 80_000:
        return None
    return _EXCEL + timedelta(seconds=round(float(text) * 86_400))


def _iso(text: str, order: str) -> datetime | None:
    if not re.match(r"\d{4}-?\d{2}-?\d{2}(?!\d)", text):
        return None
    try:
        return datetime.fromisoformat(re.sub(r" UTC$", "+00:00", text))
    except ValueError:
        return None


def _day_first(text: str, order: str) -> datetime | None:
    found = _DMY.fullmatch(text)
    if found is None:
        return None
    first, second, year, hour, minute, sec, half = found.groups()
    day, month = (second, first) if order == "mdy" else (first, second)
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + 12 * (half in "pP")
    try:
        return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(sec or 0))
    except ValueError:
        return None


def when(value: object) -> datetime | None:
    """The time in *value*: a number, ISO 8601 with a zone, or the form of mails and of Twitter."""
    found = moment(value)
    if found is None and isinstance(value, str) and len(value) < 60:
        parts = value.split()
        if len(parts) == 6 and ":" in parts[3]:
            # "Sat Jun 09 02:38:00 +0000 2018", as Twitter writes it
            value = f"{parts[0]}, {parts[2]} {parts[1]} {parts[5]} {parts[3]} {parts[4]}"
        try:
            mail = parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        found = moment(mail.timestamp()) if mail.tzinfo else None
    return found
