"""Chunks: objects.md, section 7. A cell is None, str, int, Decimal, bool or Period."""

from decimal import Decimal
from itertools import groupby
from typing import Any

from . import bounds
from .decimals import INT64_MAX, INT64_MIN, number, parts
from .errors import Refused
from .objects import Object
from .periods import FREQUENCIES, Period, period

VARINT_BYTES_MAX = 18
Cell = str | int | Decimal | bool | Period | None
Column = list[Any]

CODINGS = {
    "string": "text",
    "time": "text",
    "duration": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "time_period": "period",
    "date": "period",
}


def refuse(message: str) -> Refused:
    return Refused("rule", message)


def read_varints(data: bytes) -> list[int]:
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 7 * VARINT_BYTES_MAX:
            raise refuse("a varint has at most 18 bytes")
        if byte < 0x80:
            values.append(value)
            value, shift = 0, 0
    if shift:
        raise refuse("a varint ends inside")
    return values


def write_varints(values: list[int]) -> bytes:
    result = bytearray()
    for value in values:
        while value >= 0x80:
            result.append(value & 0x7F | 0x80)
            value >>= 7
        result.append(value)
    return bytes(result)


def zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(value: int) -> int:
    return -(value + 1) // 2 if value & 1 else value // 2


def read_runs(data: bytes, rows: int) -> list[int]:
    """One value for each row."""
    varints = read_varints(data)
    if len(varints) % 2:
        raise refuse("runs are pairs")
    values: list[int] = []
    for value, length in zip(varints[::2], varints[1::2]):
        if length > rows - len(values):
            raise refuse("runs cover more rows than there are")
        values += [value] * length
    if len(values) != rows:
        raise refuse("runs cover fewer rows than there are")
    return values


def write_runs(values: list[int]) -> bytes:
    pairs: list[int] = []
    for value, run in groupby(values):
        pairs += [value, sum(1 for _ in run)]
    return write_varints(pairs)


def fill(present: list[bool], values: list[Any]) -> Column:
    """The values in the rows that have one."""
    if len(values) != sum(present):
        raise refuse("one value for each row that is not null")
    remaining = iter(values)
    return [next(remaining) if is_present else None for is_present in present]


def read_deltas(data: bytes) -> list[int]:
    values, value = [], 0
    for delta in read_varints(data):
        value += unzigzag(delta)
        values.append(value)
    return values


def write_deltas(values: list[int]) -> bytes:
    previous = [0, *values[:-1]]
    return write_varints([zigzag(value - before) for value, before in zip(values, previous)])


def decode_text(fields: Any, rows: int) -> Column:
    dictionary = [None, *fields["dictionary"]]
    if any(len(cell.encode()) > bounds.CELL_BYTES_MAX for cell in fields["dictionary"]):
        raise refuse("a text beyond CELL_BYTES_MAX")
    codes = read_runs(fields["codes"], rows)
    if max(codes, default=0) >= len(dictionary):
        raise refuse("a code beyond the dictionary")
    return [dictionary[code] for code in codes]


def encode_text(column: Column) -> Any:
    dictionary = sorted({cell for cell in column if cell is not None})
    index = {cell: code for code, cell in enumerate([None, *dictionary])}
    return {"dictionary": dictionary, "codes": write_runs([index[cell] for cell in column])}


def decode_integer(fields: Any, rows: int) -> Column:
    values = read_deltas(fields["deltas"])
    if any(not INT64_MIN <= value <= INT64_MAX for value in values):
        raise refuse("an integer beyond 64 bits")
    present = read_runs(fields["present"], rows)
    return fill([value == 1 for value in present], values)


def encode_integer(column: Column) -> Any:
    present = write_runs([int(cell is not None) for cell in column])
    return {"present": present, "deltas": write_deltas([cell for cell in column if cell is not None])}


def decode_number(fields: Any, rows: int) -> Column:
    exponents = read_runs(fields["exponents"], rows)
    coefficients = [unzigzag(value) for value in read_varints(fields["coefficients"])]
    column = fill([value != 0 for value in exponents], coefficients)
    return [
        None if coefficient is None else number(coefficient, unzigzag(exponent - 1))
        for coefficient, exponent in zip(column, exponents)
    ]


def encode_number(column: Column) -> Any:
    pairs = [None if cell is None else parts(cell) for cell in column]
    exponents = [0 if pair is None else 1 + zigzag(pair[1]) for pair in pairs]
    coefficients = [zigzag(pair[0]) for pair in pairs if pair is not None]
    return {"exponents": write_runs(exponents), "coefficients": write_varints(coefficients)}


def decode_boolean(fields: Any, rows: int) -> Column:
    values = read_runs(fields["values"], rows)
    if max(values, default=0) > 2:
        raise refuse("a truth value is 0, 1 or 2")
    return [(None, False, True)[value] for value in values]


def encode_boolean(column: Column) -> Any:
    return {"values": write_runs([(None, False, True).index(cell) for cell in column])}


def decode_period(fields: Any, rows: int) -> Column:
    frequencies = read_runs(fields["frequencies"], rows)
    if max(frequencies, default=0) > len(FREQUENCIES):
        raise refuse("an unknown frequency")
    ordinals = fill([value != 0 for value in frequencies], read_deltas(fields["deltas"]))
    return [
        None if ordinal is None else period(FREQUENCIES[frequency - 1], ordinal)
        for frequency, ordinal in zip(frequencies, ordinals)
    ]


def encode_period(column: Column) -> Any:
    frequencies = write_runs([0 if cell is None else cell.rank + 1 for cell in column])
    return {"frequencies": frequencies, "deltas": write_deltas([cell.ordinal for cell in column if cell is not None])}


DECODERS = {
    "text": decode_text,
    "integer": decode_integer,
    "number": decode_number,
    "boolean": decode_boolean,
    "period": decode_period,
}
ENCODERS = {
    "text": encode_text,
    "integer": encode_integer,
    "number": encode_number,
    "boolean": encode_boolean,
    "period": encode_period,
}


def decode_columns(chunk: Object) -> list[Column]:
    """The columns of a chunk, each of which has its only coding."""
    columns = []
    for choice in chunk["columns"]:
        ((coding, fields),) = choice.items()
        column = DECODERS[coding](fields, chunk["rows"])
        if ENCODERS[coding](column) != fields:
            raise refuse(f"a {coding} column in another coding than its own")
        columns.append(column)
    return columns


def encode_chunk(types: list[str], rows: list[tuple[Cell, ...]]) -> Object:
    columns = []
    for index, value_type in enumerate(types):
        coding = CODINGS[value_type]
        columns.append({coding: ENCODERS[coding]([row[index] for row in rows])})
    return {"$type": "chunk", "v": 1, "rows": len(rows), "columns": columns}


FIXED_WEIGHTS = {"integer": 14, "number": 24, "boolean": 2, "period": 8}


def row_weight(codings: list[str], row: tuple[Cell, ...]) -> int:
    weight = 0
    for coding, cell in zip(codings, row):
        weight += FIXED_WEIGHTS.get(coding) or 8 + (len(cell.encode()) if isinstance(cell, str) else 0)
    return weight


def cuts(types: list[str], rows: list[tuple[Cell, ...]]) -> list[int]:
    """The number of rows of each chunk."""
    codings = [CODINGS[value_type] for value_type in types]
    lengths: list[int] = []
    weight = 0
    for row in rows:
        added = row_weight(codings, row)
        full = weight + added > bounds.CHUNK_BYTES_MAX - 8192 or (lengths and lengths[-1] == bounds.CHUNK_ROWS_MAX)
        if not lengths or full:
            lengths.append(0)
            weight = 0
        lengths[-1] += 1
        weight += added
    return lengths
