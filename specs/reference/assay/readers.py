"""Readers of documents: readers.md."""

from typing import Any

from .compare import Positions
from .documents import Document
from .errors import Refused
from .tables import Table

# The formats that are read here, with the version of their reader.
VERSIONS: dict[str, int] = {}


def read(format_name: str, files: list[Document], companions: list[Document], options: Any) -> tuple[Table, Positions]:
    raise Refused("not-run", f"no reader for {format_name}")
