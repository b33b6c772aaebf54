"""Readers of documents: readers.md, sections 3 (`csv`) and 4 (`worldbank`)."""

import hashlib
import io
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import bounds
from .chunks import Cell
from .compare import Positions
from .csv_text import Record, check_width, decode_text, read_records, require
from .decimals import number
from .documents import Document
from .errors import Refused
from .fields import is_line, is_text, make_line
from .options import MISSING_TEXTS
from .periods import Period, first_day, numbered, read_period
from .tables import Codes, Component, Key, Row, Table

# The formats that are read here, with the version of their reader.
VERSIONS: dict[str, int] = {"csv": 3, "worldbank": 1}
AREAS_SHA256 = "79cf3501ef0d4fc033fc3eb4891c0e64c300ea3b8e54a7d2aaa0ca6a8612e931"
AREAS = Path(__file__).resolve().parents[3] / "node/ingest/src/values/areas.txt"
ATTRIBUTES = set(
    "ASSAY_STANDING AVAILABILITY BASE_PER BASE_YEAR COLLECTION COLL_METHOD COMMENT_OBS COMMENT_TS COMPILATION "
    "CONF_STATUS CONF_STATUS_OBS CURRENCY_UNIT DECIMALS EMBARGO_TIME LAST_UPDATE METHODOLOGY OBS_COM OBS_CONF "
    "OBS_FLAG OBS_PRE_BREAK OBS_STATUS POWERCODE PUBL_ECB REFERENCEPERIOD SOURCE_AGENCY SOURCE_PUB TIME_FORMAT "
    "TITLE TITLE_COMPL UNIT_INDEX_BASE UNIT_MULT VALUATION_DATE UNIT_MEASURE".split()
)
LEVELS = {"FP.CPI.TOTL", "FP.WPI.TOTL", "CPI"}
ROLES = ("identifier", "measure", "attribute", "viral_attribute")


def read(format_name: str, files: list[Document], companions: list[Document], options: Any) -> tuple[Table, Positions]:
    """The table of documents, and the places of its cells."""
    name, data = files[0].name, b"\n".join(file.data for file in files)
    if format_name == "csv":
        return read_csv(name, data, options)
    if format_name == "worldbank":
        return read_worldbank(name, data, companions)
    raise Refused("not-run", f"no reader for {format_name}")


def list_areas() -> dict[str, tuple[str, bool]]:
    data = AREAS.read_bytes()
    if hashlib.sha256(data).hexdigest() != AREAS_SHA256:
        raise Refused("not-run", "the list of areas is not that of readers.md")
    lines = (line.split(" ", 2) for line in data.decode().splitlines())
    return {code: (name, kind == "aggregate") for code, kind, name in lines}


def parse_digits(text: str) -> Decimal:
    """Rule 8: the digits are kept."""
    match = re.fullmatch(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?", text, re.ASCII)
    require(match is not None and len(text) <= 128, f"{text!r} is not a number")
    assert match is not None
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    require(bool(whole or fraction), f"{text!r} is not a number")
    digits, power = whole + fraction, exponent - len(fraction)
    significant = digits.lstrip("0") or "0"
    if len(significant) > 34:
        excess = significant[34:]
        require(not excess.strip("0"), "more than 34 digits")
        power += len(excess)
        significant = significant[:34]
    try:
        value = number(int(significant), power)
    except Refused as error:
        raise Refused("reader", error.message) from None
    return -value if sign == "-" and significant.strip("0") else value


def parse_period(text: str) -> Period:
    try:
        return read_period(text.replace(" ", "", 1))
    except Refused as error:
        raise Refused("reader", error.message) from None


# Section 3.


def read_csv(name: str, data: bytes, options: Any) -> tuple[Table, Positions]:
    mapping = options.get("mapping", {})
    text = decode_text(data)
    skip = mapping.get("skip", 0)
    for _ in range(skip):
        text = text.partition("\n")[2]
    records = read_records(text, mapping.get("delimiter", ","), 1 + skip)
    require(bool(records), "no header")
    header, rows = records[0], records[1:]
    columns = mapping.get("columns") or header_columns(header)
    columns = [complete(column) for column in columns]
    columns.sort(key=lambda column: ROLES.index(column["role"]))
    places = [None if "constant" in column else title_place(header, column["from"]) for column in columns]
    components = [Component(column["to"], column["role"], column["type"]) for column in columns]
    require(any(item.is_identifier for item in components), "no identifier")
    require(len({item.id for item in components}) == len(components), "an id twice")
    reader = CellReader(mapping, options.get("frequency"))
    table, positions = Table(components, []), {}
    for record in rows:
        check_width(record, len(header.cells))
        cells = [
            reader.read(column, column["constant"] if place is None else record.cell(place))
            for column, place in zip(columns, places)
        ]
        if not is_left_out(components, cells):
            add_row(table, positions, tuple(cells), name, record.line, columns)
    return finish(table, default_codes(table)), positions


def complete(column: dict[str, Any]) -> dict[str, Any]:
    """Rule 3."""
    known = {"TIME_PERIOD": "time_period", "OBS_VALUE": "number"}
    value_type = column.get("type", known.get(column["to"], "string"))
    role = column.get("role", "measure" if value_type == "number" else "identifier")
    if "areas" in column:
        raise Refused("not-run", "lists of area codes are not read here")
    zero = column.get("zero_is_missing", False)
    require(not zero or (role == "measure" and value_type in ("number", "integer")), "zero_is_missing on no figure")
    return {**column, "type": value_type, "role": role}


def header_columns(header: Record) -> list[dict[str, Any]]:
    """Rule 2."""
    titles = [title for title in header.cells if title]
    time = next((name for name in ("TIME_PERIOD", "OBS_VALUE") if name in titles), None)
    require(time is not None, "neither TIME_PERIOD nor OBS_VALUE")
    columns, before = [], True
    for title in titles:
        require(re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", title) is not None, f"{title!r} is not a name")
        if title == time == "TIME_PERIOD":
            kind = ("identifier", "time_period")
        elif before and title != time:
            kind = ("identifier", "string")
        else:
            kind = ("attribute", "string") if title in ATTRIBUTES else ("measure", "number")
        before = before and title != time
        columns.append({"from": title, "to": title, "role": kind[0], "type": kind[1]})
    return columns


def title_place(header: Record, title: str) -> int:
    places = [place for place, cell in enumerate(header.cells) if cell == title]
    require(len(places) == 1, f"the column {title!r} is there {len(places)} times")
    return places[0]


class CellReader:
    """Values of cells: rules 4 to 7."""

    def __init__(self, mapping: dict[str, Any], frequency: str | None) -> None:
        self.missing = set(mapping.get("missing", MISSING_TEXTS))
        self.comma = mapping.get("decimal_comma", False)
        self.frequency = frequency

    def read(self, column: dict[str, Any], cell: str) -> Cell:
        if column["role"] == "identifier":
            require(cell != "", "an identifier is empty")
        elif cell in self.missing or (column.get("zero_is_missing") and is_zero(cell)):
            return None
        return self.value(column, cell)

    def value(self, column: dict[str, Any], cell: str) -> Cell:
        value_type = column["type"]
        if value_type == "string":
            require(len(cell.encode()) <= bounds.CELL_BYTES_MAX and is_text(cell), "a text that no cell holds")
            return cell
        if value_type == "number":
            require(not (self.comma and "." in cell), "a point beside a decimal comma")
            return parse_digits(cell.replace(",", ".", 1) if self.comma else cell)
        if value_type == "integer":
            require(re.fullmatch(r"[+-]?\d+", cell, re.ASCII) is not None, f"{cell!r} is not an integer")
            require(-(2**63) <= int(cell) < 2**63, "an integer beyond 64 bits")
            return int(cell)
        if value_type == "boolean":
            words = {"true": True, "1": True, "false": False, "0": False}
            require(cell.lower() in words, f"{cell!r} is not a boolean")
            return words[cell.lower()]
        if value_type in ("time_period", "date") and "dates" not in column:
            return self.period(value_type, parse_period(cell))
        raise Refused("not-run", f"cells of the type {value_type} with these options are not read here")

    def period(self, value_type: str, found: Period) -> Period:
        if value_type == "date":
            require(found.frequency == "D", "a date is a day")
        elif self.frequency not in (None, found.frequency):
            return containing(found, self.frequency or "")
        return found


def is_zero(cell: str) -> bool:
    figure = re.split("[eE]", cell)[0]
    return "0" in figure and not figure.strip("0.,-+")


def containing(found: Period, frequency: str) -> Period:
    """Rule 10 of section 1."""
    require("ASQMWD".index(frequency) < found.rank and frequency != "W" and found.frequency != "W", "a finer frequency")
    start = first_day(found)
    months = {"A": 12, "S": 6, "Q": 3, "M": 1}[frequency]
    return numbered(frequency, start.year, (start.month - 1) // months + 1)


def is_left_out(components: list[Component], cells: list[Cell]) -> bool:
    """Rule 9."""
    measures = [cell for item, cell in zip(components, cells) if item.role == "measure"]
    status = [
        cell
        for item, cell in zip(components, cells)
        if item.role == "attribute" and item.id in ("OBS_STATUS", "OBS_FLAG")
    ]
    return bool(measures) and all(cell is None for cell in [*measures, *status])


def add_row(
    table: Table, positions: Positions, row: Row, name: str, line: int, columns: list[dict[str, Any]]
) -> None:
    require((len(table.rows) + 1) * len(table.components) <= bounds.CELLS_MAX, "more cells than CELLS_MAX")
    table.rows.append(row)
    for column in columns:
        place = {"file": name, "line": line, "column": column.get("from", column["to"])}
        positions[table.key(row), column["to"]] = place


def finish(table: Table, codes: Codes) -> Table:
    """Rule 14: sorted, each key once."""
    require(bool(table.rows), "no row")
    table.sort()
    keys = [table.key(row) for row in table.rows]
    require(len(set(keys)) == len(keys), "two rows with one key")
    table.codes = codes
    return table


def default_codes(table: Table) -> Codes:
    """Rule 16."""
    if "REF_AREA" not in table.names:
        return {}
    place = table.names.index("REF_AREA")
    if table.types[place] not in ("string", "time", "duration"):
        return {}
    found = {row[place] for row in table.rows if isinstance(row[place], str)}
    areas = list_areas()
    codes = [
        {"id": code, "name": areas.get(code, (code, False))[0], "aggregate": areas.get(code, (code, False))[1]}
        for code in sorted(str(code) for code in found)
        if len(code.encode()) <= 64 and is_line(code)
    ]
    return {"REF_AREA": codes} if codes else {}


# Section 4.


def read_worldbank(name: str, data: bytes, companions: list[Document]) -> tuple[Table, Positions]:
    metadata = companions[0].data if len(companions) == 1 else None
    if len(companions) > 1:
        raise Refused("not-run", "several companions are not read here")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        name, data, inside = open_archive(name, data)
        metadata = inside if metadata is None else metadata
    records = read_records(decode_text(data), ",")
    place = next((at for at, record in enumerate(records[:12]) if find_title(record, "Country Code") is not None), None)
    require(place is not None, "no header with Country Code")
    header, rows = records[place or 0], records[(place or 0) + 1 :]
    return WorldBankTable(name, header, regions_of(metadata)).read(rows)


def open_archive(name: str, data: bytes) -> tuple[str, bytes, bytes | None]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        top = [member for member in archive.namelist() if "/" not in member and "\\" not in member]
        tables = [member for member in top if member.startswith("API_") and member.endswith(".csv")]
        require(len(tables) == 1, f"{len(tables)} members API_*.csv")
        country = next((member for member in top if member.startswith("Metadata_Country")), None)
        return f"{name}/{tables[0]}", archive.read(tables[0]), archive.read(country) if country else None
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise Refused("reader", f"not an archive: {error}") from None


def find_title(record: Record, title: str) -> int | None:
    return next((place for place, cell in enumerate(record.cells) if cell.lower() == title.lower()), None)


def regions_of(metadata: bytes | None) -> dict[str, bool]:
    """Whether each code is an aggregate."""
    if metadata is None:
        return {}
    header, *rows = read_records(decode_text(metadata), ",")
    code, region = find_title(header, "Country Code"), find_title(header, "Region")
    require(code is not None and region is not None, "country metadata without Country Code and Region")
    return {row.cell(code or 0): row.cell(region or 0) == "" for row in rows}


class WorldBankTable:
    def __init__(self, name: str, header: Record, regions: dict[str, bool]) -> None:
        self.name, self.header, self.regions = name, header, regions
        self.code = find_title(header, "Country Code")
        country = find_title(header, "Country Name")
        self.country = find_title(header, "Country") if country is None else country
        titles = [find_title(header, "Indicator Name"), find_title(header, "Indicator Code")]
        self.indicator = titles[1] if None not in titles else None
        used = {self.code, self.country, *(titles if None not in titles else [])}
        others = [place for place in range(len(header.cells)) if place not in used]
        year = find_title(header, "Year")
        self.years, self.long = ([], self.long_columns(year, others)) if year is not None else (self.wide(others), None)
        self.areas = list_areas()
        self.codes: dict[str, dict[str, Any]] = {}
        self.level: str | None = None

    def wide(self, others: list[int]) -> list[tuple[int, Period]]:
        years = []
        for place in others:
            title = self.header.cells[place]
            if not title and place + 1 == len(self.header.cells):
                continue
            years.append((place, self.year(title)))
        require(bool(years) and len({year for _, year in years}) == len(years), "no years, or one twice")
        return years

    def long_columns(self, year: int, others: list[int]) -> tuple[int, int]:
        require(len(others) == 2 and year in others, "the long form has Year and one column of figures")
        return year, others[1] if others[0] == year else others[0]

    def year(self, text: str) -> Period:
        text = text.removesuffix("-01-01")
        require(re.fullmatch(r"\d{4}", text, re.ASCII) is not None, f"{text!r} is not a year")
        return parse_period(text)

    def read(self, rows: list[Record]) -> tuple[Table, Positions]:
        components = [
            Component("REF_AREA", "identifier", "string"),
            Component("TIME_PERIOD", "identifier", "time_period"),
            Component("OBS_VALUE", "measure", "number"),
        ]
        table, positions = Table(components, []), {}
        for record in rows:
            check_width(record, len(self.header.cells))
            area = self.enter(record)
            for place, year in self.years or [(self.long[1], self.year(record.cell(self.long[0])))]:
                cell = record.cell(place)
                if cell in ("", ".."):
                    continue
                value = parse_digits(cell)
                require(self.level not in LEVELS or value >= 0, "a price index is not negative")
                key: Key = (area, year)
                table.rows.append((*key, value))
                positions[key, "OBS_VALUE"] = {
                    "file": self.name, "line": record.line, "column": self.header.cells[place]
                }
        codes = [self.codes[code] for code in sorted(self.codes)]
        return finish(table, {"REF_AREA": codes}), positions

    def enter(self, record: Record) -> str:
        area = record.cell(self.code or 0)
        require(area != "", "an identifier is empty")
        if self.indicator is not None:
            found = record.cell(self.indicator)
            require(self.level in (None, found), "two indicators in one document")
            self.level = found
        if area not in self.codes:
            listed = self.areas.get(area)
            require(area in self.regions or listed is not None, f"the area {area!r} is unknown")
            name = record.cell(self.country) if self.country is not None else ""
            aggregate = self.regions[area] if area in self.regions else bool(listed and listed[1])
            name = make_line(name) or (listed[0] if listed else "")
            self.codes[area] = {"id": area, "name": name, "aggregate": aggregate}
        return area
