"""Objects: objects.md, sections 3 to 5 and 8. A decoded object is a dict of its fields."""

from typing import Any

from . import bounds, cbor, fields
from .errors import Refused
from .fields import line, array, choice, integer, mapping, name, require, struct, text, uint32, uint64, word
from .ids import Id
from .options import ROLES, TYPES, reader_options

Object = dict[str, Any]

REASONS = ("source-revision", "publisher-error", "method", "rebase", "seasonal")


def identity_rule(value: Object) -> None:
    require(value["name"].strip() != "", "the name is not blank")
    fields.distinct(value["roots"] + [key["key"] for key in value["keys"]], "keys")


def uses_rule(value: Any) -> None:
    array(word("publish", "attest"), 1, 2)(value)
    require(value in (["publish"], ["attest"], ["publish", "attest"]), "uses ascend and are distinct")


def snapshot_rule(value: Object) -> None:
    pieces = -(-value["size"] // bounds.PIECE_BYTES_MAX)
    require(len(value["pieces"]) == pieces, "the number of pieces follows from the size")


def components(value: Any) -> None:
    component = struct({"id": name, "role": word(*ROLES), "type": word(*TYPES)})
    array(component, 0, bounds.COMPONENTS_MAX)(value)
    fields.distinct([item["id"] for item in value], "components")
    ranks = [ROLES.index(item["role"]) for item in value]
    require(ranks == sorted(ranks), "identifiers, measures, attributes, viral attributes")


def structure_rule(value: Object) -> None:
    known = {component["id"] for component in value["components"]}
    require(set(value["codes"]) <= known, "a code list belongs to a component")
    require(sum(map(len, value["codes"].values())) <= bounds.CODES_MAX, "more codes than CODES_MAX")
    for codes in value["codes"].values():
        ids = [code["id"] for code in codes]
        require(all(a < b for a, b in zip(ids, ids[1:])), "codes are strictly ascending")


def content_rule(value: Object) -> None:
    require(sum(ref["rows"] for ref in value["chunks"]) == value["rows"], "rows of chunks add up")


def import_rule(value: Object) -> None:
    documents = value["documents"] + value.get("companions", [])
    require(len(documents) <= bounds.DOCUMENTS_MAX, "more documents than DOCUMENTS_MAX")
    fields.distinct(documents, "documents")


def divergence_rule(value: Object) -> None:
    require(value["table"] != "steps" or value["key"] == [], "the key of steps is empty")


def differs_rule(value: Object) -> None:
    highest = value["cells"] + value["read"] + 1
    require(1 <= value["count"] <= highest, "at least one cell differs, at most those compared")


def missing_rule(value: Object) -> None:
    require(value["count"] >= len(value["ids"]), "the count is of all missing blocks")


def points(value: Any) -> None:
    array(array(text(1024), 1, bounds.ITEMS_MAX), 1, bounds.POINTS_MAX)(value)


output_of = struct({"release": fields.object_link, "output": name})
import_ = struct(
    {
        "documents": array(fields.object_link, 1, bounds.DOCUMENTS_MAX),
        "reader": struct({"format": name, "version": integer(1, 2**32 - 1)}),
    },
    {"companions": array(fields.object_link, 1, bounds.DOCUMENTS_MAX), "options": reader_options},
    import_rule,
)
code = struct({"id": line(64), "name": line(256), "aggregate": fields.boolean})
coded_message = {"code": line(64), "message": text(1024)}
position = struct({"file": line(256)}, {"line": uint64, "column": line(256)})
divergence = struct(
    {
        "table": choice({"output": name, "dataset": fields.object_link}, ("steps",)),
        "key": array(fields.cell, 0, bounds.COMPONENTS_MAX),
    },
    {"position": position, "component": name, "published": fields.cell, "computed": fields.cell},
    divergence_rule,
)
contents = mapping(name, fields.object_link, 0, bounds.PORTS_MAX)
verdict = choice(
    {
        "reproduced": struct({"cells": uint64, "read": uint64}),
        "differs": struct(
            {"first": divergence, "count": uint64, "cells": uint64, "read": uint64, "differences": contents},
            rule=differs_rule,
        ),
        "missing": struct(
            {"ids": array(fields.any_link, 1, bounds.MISSING_MAX), "count": uint64}, rule=missing_rule
        ),
        "invalid": struct({"object": fields.any_link, **coded_message}),
        "failed": struct(coded_message),
        "not_run": struct(coded_message),
    }
)
links = mapping(name, fields.object_link, 1, bounds.PORTS_MAX)

RUNS = fields.byte_string
COLUMN = choice(
    {
        "text": struct({"dictionary": array(fields.any_text, 0, bounds.CHUNK_ROWS_MAX), "codes": RUNS}),
        "integer": struct({"present": RUNS, "deltas": RUNS}),
        "number": struct({"exponents": RUNS, "coefficients": RUNS}),
        "boolean": struct({"values": RUNS}),
        "period": struct({"frequencies": RUNS, "deltas": RUNS}),
    }
)

OBJECTS = {
    "identity": struct(
        {
            "name": line(128, empty=False),
            "roots": array(fields.public_key, 1, bounds.KEYS_MAX),
            "next_root": fields.digest,
            "keys": array(struct({"key": fields.public_key, "uses": uses_rule}), 1, bounds.KEYS_MAX),
        },
        {"contact": line(256)},
        identity_rule,
    ),
    "snapshot": struct(
        {
            "name": line(256),
            "media_type": line(128),
            "size": integer(0, bounds.SNAPSHOT_BYTES_MAX),
            "blake3": fields.digest,
            "sha256": fields.digest,
            "pieces": array(fields.raw_link, 0, 1024),
        },
        {"url": line(1024), "fetched": fields.time, "agency": line(128), "licence": line(128)},
        snapshot_rule,
    ),
    "structure": struct(
        {
            "components": components,
            "codes": mapping(name, array(code, 0, bounds.CODES_MAX), 0, bounds.COMPONENTS_MAX),
        },
        rule=structure_rule,
    ),
    "content": struct(
        {
            "structure": fields.object_link,
            "rows": integer(0, bounds.ROWS_MAX),
            "chunks": array(
                struct({"chunk": fields.object_link, "rows": integer(1, bounds.ROWS_MAX)}), 0, bounds.CHUNKS_MAX
            ),
        },
        rule=content_rule,
    ),
    "chunk": struct(
        {"rows": integer(1, bounds.CHUNK_ROWS_MAX), "columns": array(COLUMN, 0, bounds.COMPONENTS_MAX)}
    ),
    "dataset": struct(
        {
            "dataflow": name,
            "title": line(256, empty=False),
            "content": fields.object_link,
            "provenance": choice({"import": import_, "release": output_of}, ("stated",)),
        },
        {
            "unit": line(128),
            "plausibility_warnings": array(line(512), 1, bounds.PLAUSIBILITY_WARNINGS_MAX),
        },
    ),
    "recipe": struct(
        {
            "title": line(256, empty=False),
            "indicator": name,
            "script": text(65536),
            "inputs": mapping(name, struct({"title": line(256), "components": components}), 1, bounds.PORTS_MAX),
            "outputs": mapping(name, struct({"title": line(256), "unit": line(128)}), 1, bounds.PORTS_MAX),
            "semantics": uint32,
            "limits": struct({"steps": uint64, "cells": uint64}),
            "description": text(4096),
            "references": array(text(512), 0, bounds.NOTES_MAX),
            "licence": line(64),
        },
        {
            "deviates_from": struct(
                {"recipe": fields.object_link, "reasons": array(text(1024), 1, bounds.NOTES_MAX)}
            )
        },
    ),
    "release": struct(
        {
            "dataflow": name,
            "vintage": line(64),
            "recipe": fields.object_link,
            "inputs": links,
            "results": links,
            "steps": uint64,
        },
        {"supersedes": struct({"release": fields.object_link, "reason": word(*REASONS)})},
    ),
    "retraction": struct(
        {
            "subject": fields.any_link,
            "scope": choice({"points": points}, ("whole",)),
            "reason": text(1024),
        },
        {"replacement": fields.any_link},
    ),
    "attestation": struct(
        {
            "release": fields.object_link,
            "verdict": verdict,
            "results": contents,
            "semantics": uint32,
            "build": line(64),
            "sources": struct({"read": uint64, "stated": uint64}),
        }
    ),
}


def decode_object(block: bytes) -> Object:
    """An object that follows objects.md; the coding of chunks is checked with their content."""
    if len(block) > bounds.BLOCK_BYTES_MAX:
        raise Refused("large", "an object has at most BLOCK_BYTES_MAX bytes")
    return check_object(cbor.decode(block))


def check_object(value: Any) -> Object:
    kind, version = (value.get("$type"), value.get("v")) if isinstance(value, dict) else (None, None)
    require(isinstance(kind, str) and kind in OBJECTS, "unknown object type", "kind")
    require(type(version) is int and version >= 0, "an object has a version", "kind")
    require(version == 1, "unknown version", "version")
    OBJECTS[kind]({field: content for field, content in value.items() if field not in ("$type", "v")})
    return value


def dependencies(value: Object) -> list[tuple[Id, str]]:
    """The blocks that an object depends on (section 8), with the object types that their fields expect."""
    kind = value["$type"]
    if kind == "snapshot":
        return [(piece, "piece") for piece in value["pieces"]]
    if kind == "content":
        return [(value["structure"], "structure")] + [(ref["chunk"], "chunk") for ref in value["chunks"]]
    if kind == "dataset":
        return [(value["content"], "content"), *provenance_dependencies(value["provenance"])]
    if kind == "release":
        return [
            (value["recipe"], "recipe"),
            *((link, "dataset") for link in value["inputs"].values()),
            *((link, "content") for link in value["results"].values()),
        ]
    if kind == "attestation":
        tables = value["verdict"].get("differs", {}).get("differences", {})
        return [(link, "content") for link in tables.values()]
    return []


def provenance_dependencies(provenance: Any) -> list[tuple[Id, str]]:
    if provenance == "stated":
        return []
    if "release" in provenance:
        return [(provenance["release"]["release"], "release")]
    documents = provenance["import"]["documents"] + provenance["import"].get("companions", [])
    return [(link, "snapshot") for link in documents]
