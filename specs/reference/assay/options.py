"""The options of a reader in a data set: objects.md (dataset) and readers.md, section 3."""

from typing import Any

from . import bounds, fields
from .fields import array, name, require, shape, struct, text, word

ROLES = ("identifier", "measure", "attribute", "viral_attribute")
TYPES = ("string", "integer", "number", "boolean", "time_period", "date", "time", "duration")
MISSING_TEXTS_MAX = 32
MISSING_TEXTS = ["", ".", "..", ":", "NA", "nan"]


def not_empty(value: Any) -> None:
    require(len(value) > 0, "options without a field are absent")


def true(value: Any) -> None:
    shape(value is True, "the default is absent")


def delimiter(value: Any) -> None:
    shape(isinstance(value, str) and len(value) == 1 and value.isascii(), "a delimiter is one ASCII character")


def mapping_rule(value: dict[str, Any]) -> None:
    not_empty(value)
    require(value.get("delimiter") != ",", "the default delimiter is absent")
    require(value.get("missing") != MISSING_TEXTS, "the default spellings are absent")


def column_rule(value: dict[str, Any]) -> None:
    require(("from" in value) != ("constant" in value), "a column is from the document or constant")


column = struct(
    {"to": name},
    {
        "from": text(256),
        "constant": text(256),
        "role": word(*ROLES),
        "type": word(*TYPES),
        "dates": word("month-day-year", "day-month-year"),
        "zero_is_missing": true,
        "areas": text(64),
    },
    column_rule,
)
mapping = struct(
    {},
    {
        "delimiter": delimiter,
        "skip": fields.integer(1, 2**32 - 1),
        "sheet": text(256),
        "missing": array(text(64), 0, MISSING_TEXTS_MAX),
        "decimal_comma": true,
        "columns": array(column, 1, bounds.COMPONENTS_MAX),
    },
    mapping_rule,
)
reader_options = struct(
    {}, {"area": text(64), "frequency": word("A", "S", "Q", "M", "W", "D"), "mapping": mapping}, not_empty
)
