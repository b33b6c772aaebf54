"""Checks of the fields of objects. A check is a function that accepts a value or raises Refused."""

import re
from collections.abc import Callable
from typing import Any

from . import bounds, ed25519
from .decimals import INT64_MAX, INT64_MIN, decode_number
from .errors import Refused
from .ids import DAG_CBOR, RAW, Id
from .periods import parse_period

Check = Callable[[Any], None]
# Objects.md, section 3, hidden characters: the table as it stands, in hexadecimal.
HIDDEN = """0000-001F 007F-009F 2028-2029 00AD-00AD 0600-0605 061C-061C 06DD-06DD 070F-070F 0890-0891 08E2-08E2
180E-180E 200B-200F 202A-202E 2060-2064 2066-206F FEFF-FEFF FFF9-FFFB 110BD-110BD 110CD-110CD 13430-1343F
1BCA0-1BCA3 1D173-1D17A 034F-034F 115F-1160 17B4-17B5 180B-180D 180F-180F 2065-2065 3164-3164 FE00-FE0F
FFA0-FFA0 FFF0-FFF8 E0000-E0FFF 2800-2800 E000-F8FF F0000-10FFFF FDD0-FDEF"""
HIDDEN_RANGES = [tuple(int(end, 16) for end in item.split("-")) for item in HIDDEN.split()]
IN_TEXT = {0x09, 0x0A, 0x200C, 0x200D, *range(0xFE00, 0xFE10)}
WHITE_SPACE = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


def require(condition: bool, message: str, code: str = "rule") -> None:
    if not condition:
        raise Refused(code, message)


def shape(condition: bool, message: str) -> None:
    require(condition, message, "shape")


def is_hidden(point: int) -> bool:
    return point & 0xFFFE == 0xFFFE or any(first <= point <= last for first, last in HIDDEN_RANGES)


def is_text(value: str) -> bool:
    return all(ord(character) in IN_TEXT or not is_hidden(ord(character)) for character in value)


def is_line(value: str) -> bool:
    """One line: its only white space is single blanks inside."""
    plain = all(not is_hidden(ord(item)) and (item == " " or ord(item) not in WHITE_SPACE) for item in value)
    return plain and "  " not in value and value == value.strip(" ")


def make_line(value: str) -> str:
    """Objects.md, texts of importers: white space and control characters become one blank, the rest is removed."""
    spaced = "".join(" " if ord(item) in WHITE_SPACE or ord(item) < 0x20 or 0x7F <= ord(item) <= 0x9F else item for item in value)
    shown = "".join(item for item in spaced if not is_hidden(ord(item)))
    return " ".join(part for part in shown.split(" ") if part)


def line(size: int, empty: bool = True) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, str), "expected a text")
        shape(len(value.encode()) <= size, f"a line of at most {size} bytes")
        shape(is_line(value), "one line, without hidden characters")
        require(empty or value != "", "a name or title is not empty")

    return check


def text(size: int) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, str), "expected a text")
        shape(len(value.encode()) <= size, f"a text of at most {size} bytes")
        shape(is_text(value), "a text has no hidden characters")

    return check


def any_text(value: Any) -> None:
    shape(isinstance(value, str), "expected a text")


def name(value: Any) -> None:
    shape(isinstance(value, str) and NAME.fullmatch(value) is not None, "expected a name")


def integer(low: int, high: int) -> Check:
    def check(value: Any) -> None:
        shape(type(value) is int, "expected an integer")
        require(low <= value <= high, f"an integer from {low} to {high}")

    return check


def boolean(value: Any) -> None:
    shape(isinstance(value, bool), "expected true or false")


def data(size: int) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, bytes) and len(value) == size, f"expected {size} bytes")

    return check


def byte_string(value: Any) -> None:
    shape(isinstance(value, bytes), "expected a byte string")


def link(codec: int | None) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, Id), "expected a link")
        shape(codec is None or value.codec == codec, "a link of this codec is not allowed here")

    return check


def word(*words: str) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, str) and value in words, f"expected one of {', '.join(words)}")

    return check


def array(item: Check, low: int, high: int) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, list), "expected an array")
        require(low <= len(value) <= high, f"an array of {low} to {high} elements")
        for element in value:
            item(element)

    return check


def mapping(key: Check, item: Check, low: int, high: int) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, dict), "expected a map")
        require(low <= len(value) <= high, f"a map of {low} to {high} pairs")
        for name_of, element in value.items():
            key(name_of)
            item(element)

    return check


def struct(required: dict[str, Check], optional: dict[str, Check] | None = None, rule: Check | None = None) -> Check:
    fields = {**required, **(optional or {})}

    def check(value: Any) -> None:
        shape(isinstance(value, dict), "expected a map")
        shape(set(required) <= set(value), f"missing fields: {set(required) - set(value)}")
        shape(set(value) <= set(fields), f"unknown fields: {set(value) - set(fields)}")
        for field, content in value.items():
            fields[field](content)
        if rule:
            rule(value)

    return check


def choice(alternatives: dict[str, Check], words: tuple[str, ...] = ()) -> Check:
    """A map with one pair; an alternative without content is a text."""

    def check(value: Any) -> None:
        if isinstance(value, str):
            word(*words)(value)
            return
        shape(isinstance(value, dict) and len(value) == 1, "a choice is a map with one pair")
        (alternative, content), = value.items()
        shape(alternative in alternatives, f"unknown alternative {alternative!r}")
        alternatives[alternative](content)

    return check


def distinct(values: list[Any], what: str) -> None:
    require(len(set(values)) == len(values), f"{what} are distinct")


def public_key(value: Any) -> None:
    data(32)(value)
    ed25519.decompress(value)


def period_text(value: Any) -> None:
    shape(isinstance(value, str), "expected a period")
    parse_period(value)


def number_pair(value: Any) -> None:
    decode_number(value)


digest = data(32)
time = integer(INT64_MIN, INT64_MAX)
uint32 = integer(0, 2**32 - 1)
uint64 = integer(0, 2**64 - 1)
object_link = link(DAG_CBOR)
raw_link = link(RAW)
any_link = link(None)
cell = choice(
    {
        "text": text(bounds.CELL_BYTES_MAX),
        "integer": time,
        "number": number_pair,
        "boolean": boolean,
        "period": period_text,
    }
)
