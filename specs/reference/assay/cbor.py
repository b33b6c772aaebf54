"""Strict CBOR: DAG-CBOR of objects (objects.md, section 1) and the CBOR of entries (log.md, section 1).

Items become int, bytes, str, list, dict, bool, None and Id (a link).
"""

from typing import Any

from . import bounds
from .errors import Refused
from .ids import Id, parse_id

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
TAG_LINK = 42
SIMPLE_VALUES = {20: False, 21: True, 22: None}
# Additional information of a head: the number of bytes that follow, and the smallest value that needs them.
LONG_HEADS = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}


class Reader:
    """Reads items from bytes. `cose` selects the rules of entries: integer keys, no tags."""

    def __init__(self, data: bytes, cose: bool = False) -> None:
        self.data = data
        self.offset = 0
        self.items = 0
        self.cose = cose

    def take(self, count: int) -> bytes:
        end = self.offset + count
        if end > len(self.data):
            raise Refused("truncated", "the bytes end inside the item")
        part = self.data[self.offset : end]
        self.offset = end
        return part

    def head(self) -> tuple[int, int]:
        """The major type and the value of a head."""
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        self.items += 1
        if self.items > bounds.ITEMS_MAX:
            raise Refused("items", "more items than ITEMS_MAX")
        if major == SIMPLE and info != 31 and info not in SIMPLE_VALUES:
            raise Refused("simple", "of major type 7 only false, true and null")
        if info < 24:
            return major, info
        if info not in LONG_HEADS:
            raise Refused("indefinite", "indefinite length or reserved head")
        size, smallest = LONG_HEADS[info]
        value = int.from_bytes(self.take(size), "big")
        if value < smallest:
            raise Refused("minimal", "a head is the shortest for its value")
        return major, value

    def item(self, depth: int = 0) -> Any:
        major, value = self.head()
        if major == UNSIGNED:
            return value
        if major == NEGATIVE:
            return -1 - value
        if major == BYTES:
            return self.take(value)
        if major == TEXT:
            return self.text(value)
        if major == TAG:
            return self.link(value)
        if major == SIMPLE:
            return SIMPLE_VALUES[value]
        if value and depth == bounds.DEPTH_MAX:
            raise Refused("depth", "containers nested deeper than DEPTH_MAX")
        if major == ARRAY:
            return [self.item(depth + 1) for _ in count(value)]
        return self.map(value, depth + 1)

    def text(self, size: int) -> str:
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("utf8", "text that is not UTF-8") from None

    def link(self, tag: int) -> Id:
        if self.cose or tag != TAG_LINK:
            raise Refused("tag", f"tag {tag} is not allowed here")
        major, size = self.head()
        if major != BYTES:
            raise Refused("link", "tag 42 is on a byte string")
        data = self.take(size)
        if data[:1] != b"\0":
            raise Refused("link", "a link begins with a zero byte")
        return parse_id(data[1:])

    def map(self, pairs: int, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        previous: bytes | None = None
        for _ in count(pairs):
            start = self.offset
            key = self.key()
            encoded = self.data[start : self.offset]
            # Encoded texts compare first by length, then bytewise: the order of DAG-CBOR.
            if previous is not None and encoded <= previous:
                raise Refused("order", "map keys ascend and are unique")
            previous = encoded
            result[key] = self.item(depth)
        return result

    def key(self) -> str | int:
        major, value = self.head()
        if major == TEXT:
            return self.text(value)
        if self.cose and major == UNSIGNED:
            return value
        if self.cose and major == NEGATIVE:
            return -1 - value
        raise Refused("map-key", "map keys are text")

    def end(self) -> None:
        if self.offset != len(self.data):
            raise Refused("trailing", "bytes after the item")


def count(length: int) -> Any:
    """Like range, for lengths beyond 63 bits: the bytes end long before."""
    return range(min(length, bounds.ITEMS_MAX + 1))


def decode(data: bytes, cose: bool = False) -> Any:
    """Exactly one item."""
    reader = Reader(data, cose)
    value = reader.item()
    reader.end()
    return value


def encode_head(major: int, value: int) -> bytes:
    if value < 24:
        return bytes((major << 5 | value,))
    for info, (size, _) in LONG_HEADS.items():
        if value < 1 << 8 * size:
            return bytes((major << 5 | info,)) + value.to_bytes(size, "big")
    raise ValueError("a head has at most 64 bits")


def encode(value: Any) -> bytes:
    """The canonical encoding."""
    if value is False or value is True or value is None:
        return bytes((0xE0 | {False: 20, True: 21, None: 22}[value],))
    if isinstance(value, int):
        return encode_head(UNSIGNED, value) if value >= 0 else encode_head(NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return encode_head(BYTES, len(value)) + value
    if isinstance(value, str):
        data = value.encode("utf-8")
        return encode_head(TEXT, len(data)) + data
    if isinstance(value, Id):
        return encode_head(TAG, TAG_LINK) + encode(b"\0" + value.data)
    if isinstance(value, list):
        return encode_head(ARRAY, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(item)) for key, item in value.items())
        return encode_head(MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
    raise TypeError(f"no encoding for {type(value).__name__}")
