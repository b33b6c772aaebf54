"""Checks of the fields of objects. A check is a function that accepts a value or raises Refused."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from . import bounds, ed25519
from .decimals import INT64_MAX, INT64_MIN, decode_number
from .errors import Refused
from .ids import DAG_CBOR, RAW, Id
from .periods import parse_period

Check = Callable[[Any], None]
DIRECTION_CONTROLS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


def require(condition: bool, message: str, code: str = "rule") -> None:
    if not condition:
        raise Refused(code, message)


def shape(condition: bool, message: str) -> None:
    require(condition, message, "shape")


def is_text(value: str) -> bool:
    """Objects.md, section 3: no control characters but tab and line feed, nothing that hides or reorders."""
    for character in value:
        if character in "\t\n":
            continue
        if unicodedata.category(character) == "Cc" or ord(character) in DIRECTION_CONTROLS:
            return False
    return True


def text(size: int) -> Check:
    def check(value: Any) -> None:
        shape(isinstance(value, str), "expected a text")
        shape(len(value.encode()) <= size, f"a text of at most {size} bytes")
        shape(is_text(value), "a text has no control or direction characters")

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
