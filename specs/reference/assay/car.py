"""CARv1 files: bundle.md, sections 1 and 5."""

from dataclasses import dataclass

from . import bounds, cbor
from .errors import Refused
from .ids import ID_BYTES, Id, id_of, parse_id

VARINT_BYTES_MAX = 4


@dataclass
class Car:
    roots: list[Id]
    records: list[tuple[Id, bytes]]


def read_varint(data: bytes, offset: int, code: str) -> tuple[int, int]:
    """An unsigned LEB128 in its shortest form, and the offset behind it."""
    value = 0
    for index in range(VARINT_BYTES_MAX):
        if offset + index >= len(data):
            raise Refused("truncated" if code == "length" else code, "the file ends inside a length")
        byte = data[offset + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if byte == 0 and index > 0:
                raise Refused(code, "a padded length")
            return value, offset + index + 1
    raise Refused(code, "a length of more than four bytes")


def read_header(data: bytes) -> tuple[list[Id], int]:
    size, offset = read_varint(data, 0, "header")
    if size > bounds.CAR_HEADER_BYTES_MAX or offset + size > len(data):
        raise Refused("header", "the header is too long or cut off")
    try:
        header = cbor.decode(data[offset : offset + size])
    except Refused as error:
        raise Refused("header", error.message) from None
    if not isinstance(header, dict) or set(header) != {"roots", "version"}:
        raise Refused("header", "a header has the fields roots and version")
    roots, version = header["roots"], header["version"]
    if type(version) is not int or version != 1:
        raise Refused("header", "version 1 only")
    if not isinstance(roots, list) or not all(isinstance(root, Id) for root in roots):
        raise Refused("header", "roots are links")
    if len(roots) > bounds.ROOTS_MAX:
        raise Refused("header", "more roots than ROOTS_MAX")
    return roots, offset + size


def read_framing(data: bytes) -> Car:
    """Header and records; hashes are not checked."""
    roots, offset = read_header(data)
    records = []
    while offset < len(data):
        size, offset = read_varint(data, offset, "length")
        if not ID_BYTES <= size <= ID_BYTES + bounds.BLOCK_BYTES_MAX:
            raise Refused("length", "a record has an id and a block")
        if offset + size > len(data):
            raise Refused("truncated", "the file ends inside a record")
        block_id = parse_id(data[offset : offset + ID_BYTES], "foreign")
        records.append((block_id, data[offset + ID_BYTES : offset + size]))
        offset += size
    return Car(roots, records)


def check_hashes(car: Car) -> None:
    for block_id, block in car.records:
        if id_of(block_id.codec, block) != block_id:
            raise Refused("hash", f"hash mismatch of {block_id}")


def write_varint(value: int) -> bytes:
    result = bytearray()
    while value >= 0x80:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*result, value))


def write(roots: list[Id], records: list[tuple[Id, bytes]]) -> bytes:
    header = cbor.encode({"roots": roots, "version": 1})
    parts = [write_varint(len(header)), header]
    for block_id, block in records:
        parts += [write_varint(ID_BYTES + len(block)), block_id.data, block]
    return b"".join(parts)
