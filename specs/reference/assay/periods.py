"""Periods, intervals and durations: objects.md, sections 6 and 6a."""

import re
from datetime import date, timedelta
from typing import NamedTuple

from .errors import Refused

FREQUENCIES = "ASQMWD"
PER_YEAR = {"A": 1, "S": 2, "Q": 4, "M": 12}
LAST_DAY = date(9999, 12, 31)
DURATION_MAX = 1_000_000
DURATION_LETTERS = {"A": (12, 0), "S": (6, 0), "Q": (3, 0), "M": (1, 0), "W": (0, 7), "D": (0, 1)}
LAST_WEEK = (LAST_DAY - date(1, 1, 1)).days // 7


class Period(NamedTuple):
    """Ordered by frequency (A, S, Q, M, W, D), then by time."""

    rank: int
    ordinal: int

    @property
    def frequency(self) -> str:
        return FREQUENCIES[self.rank]

    def __str__(self) -> str:
        if self.frequency == "D":
            return str(first_day(self))
        if self.frequency == "W":
            year, week, _ = first_day(self).isocalendar()
            return f"{year:04}-W{week:02}"
        year, number = divmod(self.ordinal, PER_YEAR[self.frequency])
        suffix = {"A": "", "S": f"-S{number + 1}", "Q": f"-Q{number + 1}", "M": f"-M{number + 1:02}"}
        return f"{year:04}" + suffix[self.frequency]


def period(frequency: str, ordinal: int) -> Period:
    """Years are 0001 to 9999."""
    if frequency == "D":
        valid = 0 <= ordinal <= (LAST_DAY - date(1, 1, 1)).days
    elif frequency == "W":
        valid = 0 <= ordinal <= LAST_WEEK
    else:
        valid = 1 <= ordinal // PER_YEAR[frequency] <= 9999
    if not valid:
        raise Refused("syntax", "years are 0001 to 9999")
    return Period(FREQUENCIES.index(frequency), ordinal)


def day(value: date) -> Period:
    return period("D", value.toordinal() - 1)


def first_day(value: Period) -> date:
    frequency = value.frequency
    if frequency == "D":
        return date.fromordinal(value.ordinal + 1)
    if frequency == "W":
        return date.fromordinal(value.ordinal * 7 + 1)
    year, number = divmod(value.ordinal, PER_YEAR[frequency])
    return date(year, number * 12 // PER_YEAR[frequency] + 1, 1)


def last_day(value: Period) -> date:
    try:
        following = period(value.frequency, value.ordinal + 1)
    except Refused:
        return LAST_DAY
    return first_day(following) - timedelta(days=1)


CANONICAL = re.compile(r"(\d{4})(?:-(?:([SQ])(\d)|([MW])(\d\d)|(\d\d)-(\d\d)))?", re.ASCII)


def parse_period(text: str) -> Period:
    """The one spelling that objects contain."""
    match = CANONICAL.fullmatch(text)
    if not match:
        raise Refused("syntax", f"{text!r} is not a period")
    year = int(match[1])
    letter = match[2] or match[4] or ("D" if match[6] else "A")
    try:
        if letter == "D":
            return day(date(year, int(match[6]), int(match[7])))
        number = int(match[3] or match[5] or 1)
        return numbered(letter, year, number)
    except ValueError:
        raise Refused("syntax", f"{text!r} is not a period") from None


def numbered(frequency: str, year: int, number: int) -> Period:
    """Period `number`, from 1, of a year."""
    if frequency == "W":
        return period("W", date.fromisocalendar(year, number, 1).toordinal() // 7)
    if not 1 <= number <= PER_YEAR[frequency]:
        raise Refused("syntax", "no such period in a year")
    return period(frequency, year * PER_YEAR[frequency] + number - 1)


LOOSE = re.compile(r"(\d{4})-?(?:([ASQ])(\d)|([MW])(\d{1,2})|(D)(\d{3}))", re.ASCII)


def read_period(text: str) -> Period:
    """Every spelling that importers read (vectors/period.json)."""
    if re.fullmatch(r"\d{4}-?A", text, re.ASCII):
        return parse_period(text[:4])
    if re.fullmatch(r"\d{4}-\d\d", text, re.ASCII):
        return numbered("M", int(text[:4]), int(text[5:]))
    match = LOOSE.fullmatch(text)
    if not match:
        return parse_period(text)
    year = int(match[1])
    letter, number = (match[2], match[3]) if match[2] else (match[4], match[5])
    try:
        if match[6]:
            return day_of_year(year, int(match[7]))
        return numbered(letter, year, int(number))
    except ValueError:
        raise Refused("syntax", f"{text!r} is not a period") from None


def day_of_year(year: int, number: int) -> Period:
    value = date(year, 1, 1) + timedelta(days=number - 1)
    if value.year != year:
        raise ValueError("no such day in the year")
    return day(value)


def check_interval(text: str) -> None:
    """`2010-01-01/2010-12-31`: first and last day, both included."""
    first, slash, last = text.partition("/")
    if not slash or len(first) != 10 or len(last) != 10 or parse_period(first) > parse_period(last):
        raise Refused("syntax", f"{text!r} is not an interval of days")


def duration_text(months: int, days: int) -> str:
    for letter, parts in DURATION_LETTERS.items():
        if parts == (months, days):
            return letter
    parts = ((months // 12, "Y"), (months % 12, "M"), (days, "D"))
    return "P" + ("".join(f"{value}{unit}" for value, unit in parts if value) or "0D")


def parse_duration(text: str) -> tuple[int, int]:
    if text in DURATION_LETTERS:
        return DURATION_LETTERS[text]
    match = re.fullmatch(r"P(?:(\d{1,7})Y)?(?:(\d{1,7})M)?(?:(\d{1,7})D)?", text, re.ASCII)
    if not match:
        raise Refused("syntax", f"{text!r} is not a duration")
    years, months, days = (int(part or 0) for part in match.groups())
    months += 12 * years
    if max(months, days) > DURATION_MAX or duration_text(months, days) != text:
        raise Refused("syntax", f"{text!r} is not the spelling of a duration")
    return months, days
