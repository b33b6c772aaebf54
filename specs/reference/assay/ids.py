"""Identifiers: objects.md, section 2."""

import base64
import re
from dataclasses import dataclass

from blake3 import blake3

from .errors import Refused

DAG_CBOR = 0x71
RAW = 0x55
ID_BYTES = 36
CODECS = (DAG_CBOR, RAW)


@dataclass(frozen=True, order=True)
class Id:
    """A CIDv1 over BLAKE3-256 in its binary form."""

    data: bytes

    @property
    def codec(self) -> int:
        return self.data[1]

    @property
    def digest(self) -> bytes:
        return self.data[4:]

    def __str__(self) -> str:
        return "b" + base64.b32encode(self.data).decode("ascii").lower().rstrip("=")


def digest(data: bytes) -> bytes:
    return blake3(data).digest()


def id_of(codec: int, block: bytes) -> Id:
    return Id(bytes((1, codec, 0x1E, 0x20)) + digest(block))


def parse_id(data: bytes, code: str = "link") -> Id:
    """The binary form; any other version, codec, hash or length is refused."""
    prefix_ok = data[:1] == b"\x01" and data[1:2] != b"" and data[1] in CODECS and data[2:4] == b"\x1e\x20"
    if len(data) != ID_BYTES or not prefix_ok:
        raise Refused(code, "an id is a CIDv1 of 36 bytes over BLAKE3-256")
    return Id(bytes(data))


def parse_id_text(text: str) -> Id:
    """The text form: multibase `b`, lower case, no padding, spare bits zero."""
    if not re.fullmatch(r"b[a-z2-7]{58}", text):
        raise Refused("syntax", "an id as text is `b` and 58 letters of base32")
    data = base64.b32decode(text[1:].upper() + "======")
    if str(Id(data)) != text:
        raise Refused("syntax", "bits beyond the last byte are zero")
    return parse_id(data, "kind")
