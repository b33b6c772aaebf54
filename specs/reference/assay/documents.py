"""Documents of data sets: bundle.md, rule 12."""

import hashlib
from dataclasses import dataclass

from . import bounds
from .bundle import Bundle
from .errors import Refused
from .ids import Id, digest
from .objects import Object


@dataclass
class Document:
    name: str
    media_type: str
    data: bytes


def require(condition: bool, message: str) -> None:
    if not condition:
        raise Refused("document", message)


def read_document(bundle: Bundle, snapshot: Object) -> Document:
    pieces = [bundle.blocks[piece] for piece in snapshot["pieces"]]
    require(all(len(piece) == bounds.PIECE_BYTES_MAX for piece in pieces[:-1]), "a piece of another size")
    data = b"".join(pieces)
    require(len(data) == snapshot["size"], "another size than the snapshot states")
    require(digest(data) == snapshot["blake3"], "another BLAKE3 digest than the snapshot states")
    require(hashlib.sha256(data).digest() == snapshot["sha256"], "another SHA-256 digest than the snapshot states")
    return Document(snapshot["name"], snapshot["media_type"], data)


def document_ids(dataset: Object) -> tuple[list[Id], list[Id]]:
    """Documents and companions."""
    provenance = dataset["provenance"]
    if not isinstance(provenance, dict) or "import" not in provenance:
        return [], []
    return provenance["import"]["documents"], provenance["import"].get("companions", [])


def check_size(snapshots: list[Object]) -> None:
    total = sum(snapshot["size"] for snapshot in snapshots)
    require(total <= bounds.SNAPSHOT_BYTES_MAX, "documents and companions beyond SNAPSHOT_BYTES_MAX")
