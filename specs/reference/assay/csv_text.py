"""Records of a CSV text: readers.md, section 1, rules 3 to 7."""

from dataclasses import dataclass

from .errors import Refused

CELLS_MAX = 4096
RECORD_BYTES_MAX = 1048576
FOREIGN = [
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff",
    b"SQLite",
]


@dataclass
class Record:
    line: int
    cells: list[str]

    def cell(self, column: int) -> str:
        return self.cells[column] if column < len(self.cells) else ""


def require(condition: bool, message: str) -> None:
    if not condition:
        raise Refused("reader", message)


def decode_text(data: bytes) -> str:
    """Rules 3 and 4."""
    require(not any(data.startswith(mark) for mark in FOREIGN), "a file of another type")
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise Refused("reader", f"not UTF-8: {error}") from None
    start = text.lstrip()
    require(bool(start), "an empty document")
    require(start[0] not in "{[" and not (start[0] == "<" and start[1:2] != "<"), "a file of another type")
    return text


def read_records(text: str, delimiter: str, line: int = 1) -> list[Record]:
    """Rule 5. `line` is the number of the first line of `text`."""
    records, at = [], 0
    while True:
        while at < len(text) and text[at] in "\r\n":
            at += 2 if text.startswith("\r\n", at) else 1
            line += 1
        if at >= len(text):
            return records
        require(text[at] not in "<=>|" or text[at : at + 7] != text[at] * 7, "an unresolved merge")
        start, record = at, Record(line, [])
        while True:
            cell, at, ended, lines = read_cell(text, at, delimiter)
            record.cells.append(cell.strip(" \t"))
            line += lines
            require(len(record.cells) <= CELLS_MAX, "a record of more than 4096 cells")
            if ended:
                break
        require(len(text[start:at].encode()) <= RECORD_BYTES_MAX, "a record of more than 1048576 bytes")
        records.append(record)


def read_cell(text: str, at: int, delimiter: str) -> tuple[str, int, bool, int]:
    """The cell, the place after it, whether it ends its record, and the lines inside."""
    if not text.startswith('"', at):
        end = at
        while end < len(text) and text[end] not in "\r\n" and text[end] != delimiter:
            end += 1
        ended = end >= len(text) or text[end] != delimiter
        return text[at:end], end if ended else end + 1, ended, 0
    parts, at = [], at + 1
    while True:
        end = text.find('"', at)
        require(end >= 0, "a quote that is not closed")
        parts.append(text[at:end])
        if not text.startswith('""', end):
            break
        parts.append('"')
        at = end + 2
    cell, after = "".join(parts), end + 1
    if after < len(text) and text[after] == delimiter:
        return cell, after + 1, False, cell.count("\n")
    require(after >= len(text) or text[after] in "\r\n", "text after a quoted cell")
    return cell, after, True, cell.count("\n")


def check_width(record: Record, width: int) -> None:
    """Rule 6."""
    found = len(record.cells)
    require(found == width or (found == width + 1 and not record.cells[width]), f"{found} cells instead of {width}")
