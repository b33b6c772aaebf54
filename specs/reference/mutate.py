"""Makes mutants of a bundle, to compare verifiers: each must give the same answer to each mutant.

python3 mutate.py FILE.car FOLDER --count 500 --seed 1 --key HEX --key HEX

`--key` is a secret key of a publisher (32 bytes); without one only bytes and frames are changed.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from assay import car, cbor, ed25519, entries, writer
from assay.bundle import Bundle, open_bundle
from assay.decimals import number, parts
from assay.documents import document_ids
from assay.entries import AUTH, CLAIMS, CONTENT_TYPE, ISSUED_AT, ISSUER, KEY_ID, PREV, SEQ, SUBJECT, Entry
from assay.ids import DAG_CBOR, RAW, Id, digest, id_of
from assay.objects import Object
from assay.rewrite import Draft, NotApplicable, Rewriter
from assay.tables import Component, Table
from verify import verify_bytes

STRANGER = bytes(range(32))


@dataclass
class Mutant:
    """One bundle that is to be changed, with its own source of choices."""

    data: bytes
    bundle: Bundle
    seeds: dict[bytes, bytes]
    random: random.Random

    def __post_init__(self) -> None:
        self.rewriter = Rewriter(self.bundle, self.seeds)

    def choose(self, items: Any) -> Any:
        items = list(items)
        if not items:
            raise NotApplicable("nothing to change")
        return self.random.choice(items)

    @property
    def root(self) -> Entry:
        return self.bundle.entries[self.choose(self.bundle.roots)]

    def archive(self) -> car.Car:
        return car.read_framing(self.data)

    def objects(self, kind: str) -> list[Id]:
        """Of the entries and of what their objects depend on."""
        ids = [*self.bundle.blocks, *(entry.object_id for entry in self.bundle.entries.values())]
        objects = [(block, self.bundle.object(block)) for block in dict.fromkeys(ids) if block.codec == DAG_CBOR]
        return [block for block, value in objects if value and value["$type"] == kind]

    def edit(self, kind: str, change: Callable[[Object], Any]) -> bytes:
        """Changes an object of a type."""

        def apply(value: Object) -> Object:
            result = change(value)
            return value if result is None else result

        self.rewriter.objects[self.choose(self.objects(kind))] = apply
        return self.rewriter.finish()

    def draft(self, change: Callable[[Draft], None]) -> bytes:
        self.rewriter.drafts[self.root.id] = change
        return self.rewriter.finish(prune=False)

    def envelope(self, change: Callable[[bytes], bytes]) -> bytes:
        self.rewriter.envelopes[self.root.id] = change
        return self.rewriter.finish(prune=False)

    def signature_parts(self, change: Callable[[bytes, bytes, bytes], bytes]) -> bytes:
        return self.envelope(lambda block: change(*entries.decode_envelope(block)))

    def contents(self, kind: str) -> list[Id]:
        """Contents of data sets or of releases."""
        values = [self.bundle.object(block) or {} for block in self.objects(kind)]
        if kind == "dataset":
            return [value["content"] for value in values if value["content"] in self.bundle.blocks]
        return [link for value in values for link in value["results"].values() if link in self.bundle.blocks]

    def table(self, kind: str, change: Callable[[Table], None]) -> bytes:
        self.rewriter.edit_table(self.choose(self.contents(kind)), change)
        return self.rewriter.finish()


Mutation = Callable[[Mutant], bytes]
MUTATIONS: dict[str, Mutation] = {}


def mutation(name: str) -> Callable[[Mutation], Mutation]:
    def register(function: Mutation) -> Mutation:
        MUTATIONS[name] = function
        return function

    return register


# Bytes.


def flip(m: Mutant, low: int, high: int) -> bytes:
    data = bytearray(m.data)
    data[m.random.randrange(low, high)] ^= 1 << m.random.randrange(8)
    return bytes(data)


def spans(data: bytes) -> list[tuple[int, int]]:
    """The header and the records, as ranges of bytes."""
    size, offset = car.read_varint(data, 0, "header")
    result = [(0, offset + size)]
    while result[-1][1] < len(data):
        size, offset = car.read_varint(data, result[-1][1], "length")
        result.append((result[-1][1], offset + size))
    return result


MUTATIONS.update(
    {
        "flip-anywhere": lambda m: flip(m, 0, len(m.data)),
        "flip-in-header": lambda m: flip(m, *spans(m.data)[0]),
        "flip-in-length-or-id": lambda m: (lambda span: flip(m, span[0], span[0] + 38))(m.choose(spans(m.data)[1:])),
        "cut": lambda m: m.data[: m.random.randrange(len(m.data))],
        "zeros-after": lambda m: m.data + bytes(m.random.randrange(1, 50)),
        "file-twice": lambda m: m.data + m.data,
        "nothing": lambda m: m.data,
    }
)


@mutation("byte-in-block-rehashed")
def byte_in_block(m: Mutant) -> bytes:
    """The block gets the id of its changed bytes, but nothing links to it."""
    archive = m.archive()
    index = m.random.randrange(len(archive.records))
    old, block = archive.records[index]
    changed = bytearray(block or b"x")
    changed[m.random.randrange(len(changed))] ^= 1 << m.random.randrange(8)
    archive.records[index] = (id_of(old.codec, bytes(changed)), bytes(changed))
    return car.write(archive.roots, archive.records)


# Frames.


def records(name: str) -> Callable[[Callable[[Mutant, list[tuple[Id, bytes]]], None]], None]:
    """Registers a change of the records of a file."""

    def register(change: Callable[[Mutant, list[tuple[Id, bytes]]], None]) -> None:
        def function(m: Mutant) -> bytes:
            archive = m.archive()
            change(m, archive.records)
            return car.write(archive.roots, archive.records)

        MUTATIONS[name] = function

    return register


def duplicate(m: Mutant, items: list[tuple[Id, bytes]]) -> None:
    items.insert(m.random.randrange(len(items)), m.choose(items))


def swap_blocks(m: Mutant, items: list[tuple[Id, bytes]]) -> None:
    (a, x), (b, y) = m.random.sample(items, 2)
    items[:] = [(block, {a: y, b: x}.get(block, data)) for block, data in items]


def other_codec(m: Mutant, items: list[tuple[Id, bytes]]) -> None:
    index = m.random.randrange(len(items))
    codec = DAG_CBOR if items[index][0].codec == RAW else RAW
    items[index] = (id_of(codec, items[index][1]), items[index][1])


def drop_entry(m: Mutant, items: list[tuple[Id, bytes]]) -> None:
    items.remove(m.choose(item for item in items if item[0] in m.bundle.entries))


def drop_block(m: Mutant, items: list[tuple[Id, bytes]]) -> None:
    items.remove(m.choose(item for item in items if item[0] not in m.bundle.entries))


def repeat_inline(m: Mutant, items: list[tuple[Id, bytes]]) -> None:
    entry = m.choose(entry for entry in m.bundle.entries.values() if entry.inline)
    items.append((entry.object_id, entry.inline))


records("drop-block")(drop_block)
records("drop-entry")(drop_entry)
records("block-twice")(duplicate)
records("shuffle")(lambda m, items: m.random.shuffle(items))
records("reverse")(lambda m, items: items.reverse())
records("swap-blocks")(swap_blocks)
records("other-codec")(other_codec)
records("unreferenced-raw")(lambda m, items: items.append(writer.record(m.random.randbytes(20))))
records("unreferenced-object")(lambda m, items: items.append(writer.record(cbor.encode({"a": 1}), DAG_CBOR)))
records("empty-block")(lambda m, items: items.append(writer.record(b"")))
records("inline-object-repeated")(repeat_inline)


def header(name: str, change: Callable[[Mutant, dict[str, Any]], None]) -> None:
    def function(m: Mutant) -> bytes:
        archive = m.archive()
        fields: dict[str, Any] = {"roots": archive.roots, "version": 1}
        change(m, fields)
        return framed(cbor.encode(fields), m)

    MUTATIONS[name] = function


def framed(encoded: bytes, m: Mutant) -> bytes:
    return car.write_varint(len(encoded)) + encoded + m.data[spans(m.data)[0][1] :]


header("root-absent", lambda m, fields: fields["roots"].append(id_of(RAW, m.random.randbytes(9))))
header("root-of-object", lambda m, fields: fields["roots"].append(m.choose(m.bundle.blocks)))
header("root-twice", lambda m, fields: fields["roots"].append(m.choose(fields["roots"])))
header("root-added", lambda m, fields: fields["roots"].append(m.choose(m.bundle.entries)))
header("root-dropped", lambda m, fields: fields["roots"].pop())
header("roots-none", lambda m, fields: fields["roots"].clear())
header("car-version", lambda m, fields: fields.update(version=m.choose([0, 2, "1", True, None])))
header("header-field-added", lambda m, fields: fields.update({m.choose(["a", "zzzzzzzzz"]): 1}))
header("header-field-absent", lambda m, fields: fields.pop(m.choose(["roots", "version"])))
header("roots-no-array", lambda m, fields: fields.update(roots=fields["roots"][0] if fields["roots"] else {}))


@mutation("length-padded")
def length_padded(m: Mutant) -> bytes:
    start, end = m.choose(spans(m.data))
    size, offset = car.read_varint(m.data, start, "length")
    padded = bytearray(car.write_varint(size))
    padded[-1] |= 0x80
    return m.data[:start] + bytes(padded) + b"\0" + m.data[offset:]


# Encodings: of the header of the file, of objects and of entries.


def long_head(data: bytes) -> bytes:
    major, info = data[0] >> 5, data[0] & 31
    return bytes((major << 5 | 24, info)) + data[1:] if info < 24 else data


def indefinite(data: bytes) -> bytes:
    return bytes((data[0] | 31,)) + data[1:] + b"\xff" if data[0] & 31 < 24 else data


def pairs_of(data: bytes) -> tuple[int, list[bytes]]:
    value = cbor.decode(data, cose=data[1] >> 5 != cbor.TEXT)
    return len(value), [key + item for key, item in sorted((cbor.encode(k), cbor.encode(v)) for k, v in value.items())]


def key_order(data: bytes) -> bytes:
    size, pairs = pairs_of(data)
    return cbor.encode_head(cbor.MAP, size) + b"".join(reversed(pairs))


def key_twice(data: bytes) -> bytes:
    size, pairs = pairs_of(data)
    return cbor.encode_head(cbor.MAP, size + 1) + b"".join([pairs[0], *pairs])


def float_field(data: bytes) -> bytes:
    size, pairs = pairs_of(data)
    return cbor.encode_head(cbor.MAP, size + 1) + cbor.encode("$") + b"\xf9\x3c\x00" + b"".join(pairs)


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "long-head": long_head,
    "indefinite": indefinite,
    "key-order": key_order,
    "key-twice": key_twice,
    "trailing": lambda data: data + b"\0",
    "cut": lambda data: data[:-1],
    "float": float_field,
    "tagged": lambda data: b"\xd9\xd9\xf7" + data,
    "in-array": lambda data: b"\x81" + data,
    "empty-map": lambda data: b"\xa0",
}


def encoded_header(change: Callable[[bytes], bytes]) -> Mutation:
    return lambda m: framed(change(cbor.encode({"roots": m.archive().roots, "version": 1})), m)


def encoded_object(change: Callable[[bytes], bytes], inline: bool) -> Mutation:
    def function(m: Mutant) -> bytes:
        inlined = {entry.object_id for entry in m.bundle.entries.values() if entry.inline}
        candidates = inlined if inline else {block for block in m.bundle.blocks if block.codec == DAG_CBOR}
        m.rewriter.encoders[m.choose(sorted(candidates))] = lambda value: change(cbor.encode(value))
        return m.rewriter.finish(prune=False)

    return function


def encoded_protected(change: Callable[[bytes], bytes]) -> Mutation:
    """The protected header in another encoding, with a signature over it."""

    def function(m: Mutant) -> bytes:
        def again(protected: bytes, payload: bytes, _: bytes) -> bytes:
            seed = m.seeds.get(cbor.decode(protected, cose=True)[KEY_ID])
            if seed is None:
                raise NotApplicable("the secret key is not known")
            changed = change(protected)
            return writer.envelope(changed, payload, ed25519.sign(seed, entries.signature_input(changed, payload)))

        return m.signature_parts(again)

    return function


for encoding, changed_encoding in ENCODINGS.items():
    MUTATIONS[f"car-header-{encoding}"] = encoded_header(changed_encoding)
    MUTATIONS[f"block-{encoding}"] = encoded_object(changed_encoding, inline=False)
    MUTATIONS[f"inline-{encoding}"] = encoded_object(changed_encoding, inline=True)
    MUTATIONS[f"protected-{encoding}"] = encoded_protected(changed_encoding)


# Entries: signed again after the change.


def draft(name: str, change: Callable[[Mutant, Draft], Any]) -> None:
    MUTATIONS[name] = lambda m: m.draft(lambda entry: change(m, entry) and None)


def set_key(m: Mutant, entry: Draft, seed: bytes) -> None:
    entry.seed = seed
    entry.header[KEY_ID] = ed25519.public_key(seed)


def other_seed(m: Mutant, entry: Draft) -> None:
    """Another known key of the publisher: a root key, or one with another use."""
    set_key(m, entry, m.choose(seed for key, seed in m.seeds.items() if key != entry.header[KEY_ID]))


def claim(label: int, value: Any) -> Callable[[Mutant, Draft], None]:
    return lambda m, entry: entry.header[CLAIMS].update({label: value})


def absent(*labels: Any) -> Callable[[Mutant, Draft], None]:
    def change(m: Mutant, entry: Draft) -> None:
        entry.header.pop(m.choose(labels), None)

    return change


draft("seq-higher", lambda m, entry: entry.header.update({SEQ: entry.header[SEQ] + m.random.randrange(1, 9)}))
draft("seq-odd", lambda m, entry: entry.header.update({SEQ: m.choose([0, -1, "1", 2**64 - 1])}))
draft("authority", lambda m, entry: entry.header.update({AUTH: m.choose([1, 0, 2**63, -1])}))
draft("previous-other", lambda m, entry: entry.header.update({PREV: id_of(RAW, m.random.randbytes(5)).data}))
draft("previous-object", lambda m, entry: entry.header.update({PREV: id_of(DAG_CBOR, b"").data}))
draft("position-label-absent", absent(SEQ, AUTH, PREV))
draft("label-absent", absent(1, CONTENT_TYPE, KEY_ID, CLAIMS))
draft("issuer-absent", lambda m, entry: entry.header[CLAIMS].pop(ISSUER))
draft("issuer-other", claim(ISSUER, str(id_of(RAW, b"nobody"))))
draft("issuer-capitals", lambda m, entry: entry.header[CLAIMS].update({ISSUER: entry.header[CLAIMS][ISSUER].upper()}))
draft("subject-other", claim(SUBJECT, "something-else"))
draft("subject-control", claim(SUBJECT, "a\rb"))
draft("time-other", lambda m, entry: entry.header[CLAIMS].update({ISSUED_AT: m.choose([-1, 0, 2**63 - 1, 2**63, "0"])}))
draft("claim-added", claim(4, 2000000000))
draft("label-added", lambda m, entry: entry.header.update({m.choose([2, 5, "x", -70001]): m.choose([0, b"", "x"])}))
draft("algorithm", lambda m, entry: entry.header.update({1: m.choose([-7, -19, "EdDSA"])}))
draft("content-type", lambda m, entry: entry.header.update({CONTENT_TYPE: "application/vnd.assay.recipe+dag-cbor"}))
draft("content-type-cid", lambda m, entry: entry.header.update(
    {CONTENT_TYPE: entry.header[CONTENT_TYPE].replace("dag-cbor", "cid")}))
draft("content-type-snapshot", lambda m, entry: entry.header.update(
    {CONTENT_TYPE: "application/vnd.assay.snapshot+cid"}) or setattr(entry, "payload", id_of(DAG_CBOR, b"").data))
draft("payload-by-id", lambda m, entry: entry.header.update(
    {CONTENT_TYPE: entry.header[CONTENT_TYPE].replace("dag-cbor", "cid")})
    or setattr(entry, "payload", id_of(DAG_CBOR, entry.payload).data))
draft("payload-empty", lambda m, entry: setattr(entry, "payload", b""))
draft("key-other", other_seed)
draft("key-of-stranger", lambda m, entry: set_key(m, entry, STRANGER))
draft("key-id-without-its-signature", lambda m, entry: setattr(entry, "seed", STRANGER))
draft("key-of-small-order", lambda m, entry: setattr(entry, "seed", STRANGER)
    or entry.header.update({KEY_ID: m.choose([bytes(32), b"\x01" + bytes(31)])}))


def plus_order(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    return writer.envelope(protected, payload, signature[:32] + s.to_bytes(32, "little"))


def signature_bit(m: Mutant) -> bytes:
    position = m.random.randrange(512)

    def change(protected: bytes, payload: bytes, signature: bytes) -> bytes:
        flipped = int.from_bytes(signature, "little") ^ 1 << position
        return writer.envelope(protected, payload, flipped.to_bytes(64, "little"))

    return m.signature_parts(change)


def envelope_of(*parts: Any) -> bytes:
    return cbor.encode_head(cbor.TAG, 18) + cbor.encode(list(parts))


MUTATIONS.update(
    {
        "signature-bit": signature_bit,
        "signature-s-plus-order": lambda m: m.signature_parts(plus_order),
        "signature-short": lambda m: m.signature_parts(lambda p, q, s: envelope_of(p, {}, q, s[:-1])),
        "unprotected-label": lambda m: m.signature_parts(lambda p, q, s: envelope_of(p, {4: b"x"}, q, s)),
        "payload-detached": lambda m: m.signature_parts(lambda p, q, s: envelope_of(p, {}, None, s)),
        "five-parts": lambda m: m.signature_parts(lambda p, q, s: envelope_of(p, {}, q, s, 0)),
        "no-tag": lambda m: m.envelope(lambda block: block[1:]),
        "tag-98": lambda m: m.envelope(lambda block: b"\xd8\x62" + block[1:]),
        "envelope-trailing": lambda m: m.envelope(lambda block: block + b"\0"),
        "envelope-long-head": lambda m: m.envelope(lambda block: b"\xd2\x98\x04" + block[2:]),
    }
)


# Fields of objects: every object type, with valid links and signatures.


def any_object(m: Mutant) -> str:
    kinds = ("dataset", "recipe", "release", "structure", "content", "chunk", "snapshot", "retraction", "attestation")
    return m.choose(kind for kind in kinds if m.objects(kind))


def drop_field(m: Mutant, value: Object) -> None:
    value.pop(m.choose(value))


def field_of_other_type(m: Mutant, value: Object) -> None:
    value[m.choose(value)] = m.choose([None, -1, "x", b"", [], {}, True, 2**64 - 1])


def swap_link(m: Mutant, value: Object) -> None:
    """A link to an object of another type, which is in the bundle."""
    links = [key for key, item in value.items() if isinstance(item, Id)]
    value[m.choose(links)] = m.choose(block for block in m.bundle.blocks if block.codec == DAG_CBOR)


def field(name: str, kind: str | None, change: Callable[[Mutant, Object], Any]) -> None:
    MUTATIONS[name] = lambda m: m.edit(kind or any_object(m), lambda value: change(m, value))


def rename_key(items: dict[str, Any], old: str, new: str) -> None:
    items[new] = items.pop(old)


field("field-absent", None, drop_field)
field("field-of-other-type", None, field_of_other_type)
field("field-unknown", None, lambda m, value: value.update(extra=1))
field("object-version", None, lambda m, value: value.update(v=m.choose([0, 2, -1, "1"])))
field("object-type", None, lambda m, value: value.update({"$type": m.choose(["thing", "Release", "content", 1])}))
field("link-to-other-type", "content", swap_link)
field("dataset-link-to-other-type", "dataset", swap_link)
field("release-link-to-other-type", "release", swap_link)
field("dataset-title", "dataset", lambda m, value: value.update(title="Another title"))
field("dataset-title-control", "dataset", lambda m, value: value.update(title="a" + m.choose("\r\x00\u202e\ufeff\u200b\n\t\u2028\x85")))
field("dataset-dataflow", "dataset", lambda m, value: value.update(dataflow=m.choose(["other", "1other", "", "x" * 65])))
field("dataset-stated", "dataset", lambda m, value: value.update(provenance="stated"))
field("dataset-of-absent-release", "dataset", lambda m, value: value.update(
    provenance={"release": {"release": id_of(DAG_CBOR, b"absent"), "output": "x"}}))
field("dataset-warning", "dataset", lambda m, value: value.update(plausibility_warnings=["gap: a gap"]))
field("dataset-no-warnings", "dataset", lambda m, value: value.update(plausibility_warnings=[]))
field("dataset-unit", "dataset", lambda m, value: value.update(unit=m.choose(["other", "", "x" * 129])))
field("release-steps", "release", lambda m, value: value.update(steps=max(0, value["steps"] + m.choose([-1, 1, 1000]))))
field("release-vintage", "release", lambda m, value: value.update(vintage="another"))
field("release-result-absent", "release", lambda m, value: value["results"].pop(m.choose(value["results"])))
field("release-result-added", "release", lambda m, value: value["results"].update(extra=m.choose(value["results"].values())))
field("release-result-renamed", "release", lambda m, value: rename_key(value["results"], m.choose(value["results"]), "renamed"))
field("release-input-absent", "release", lambda m, value: value["inputs"].pop(m.choose(value["inputs"])))
field("release-input-added", "release", lambda m, value: value["inputs"].update(extra=m.choose(value["inputs"].values())))
field("release-input-renamed", "release", lambda m, value: rename_key(value["inputs"], m.choose(value["inputs"]), "renamed"))
field("release-inputs-swapped", "release", lambda m, value: value.update(
    inputs=dict(zip(value["inputs"], reversed(list(value["inputs"].values()))))))
field("release-supersedes", "release", lambda m, value: value.update(
    supersedes={"release": id_of(DAG_CBOR, b"older"), "reason": m.choose(["method", "first"])}))
field("recipe-semantics", "recipe", lambda m, value: value.update(semantics=2))
field("recipe-steps-limit", "recipe", lambda m, value: value["limits"].update(steps=m.choose([0, 1, 10])))
field("recipe-cells-limit", "recipe", lambda m, value: value["limits"].update(cells=0))
field("recipe-description", "recipe", lambda m, value: value.update(description="Another description."))
field("recipe-script-cut", "recipe", lambda m, value: value.update(script=value["script"][: len(value["script"]) // 2]))
field("recipe-script-digit", "recipe", lambda m, value: value.update(script=value["script"].replace("100", "101")))
field("recipe-script-sign", "recipe", lambda m, value: value.update(script=value["script"].replace("*", "+")))
field("recipe-script-name", "recipe", lambda m, value: value.update(script=value["script"].replace("OBS_VALUE", "OBS_VALU")))
field("recipe-script-empty", "recipe", lambda m, value: value.update(script=""))
field("recipe-output-renamed", "recipe", lambda m, value: rename_key(value["outputs"], m.choose(value["outputs"]), "renamed"))
field("recipe-input-renamed", "recipe", lambda m, value: rename_key(value["inputs"], m.choose(value["inputs"]), "renamed"))
field("recipe-component-type", "recipe", lambda m, value: m.choose(
    m.choose(value["inputs"].values())["components"]).update(type=m.choose(["integer", "string", "boolean"])))
field("recipe-component-absent", "recipe", lambda m, value: m.choose(value["inputs"].values())["components"].pop())
field("recipe-components-swapped", "recipe", lambda m, value: m.choose(value["inputs"].values())["components"].reverse())
field("content-rows", "content", lambda m, value: value.update(rows=value["rows"] + 1))
field("content-chunk-absent", "content", lambda m, value: value.update(chunks=value["chunks"][1:]))
field("content-chunk-twice", "content", lambda m, value: value.update(
    chunks=value["chunks"] * 2, rows=2 * value["rows"]))
field("content-chunk-rows", "content", lambda m, value: [ref.update(rows=ref["rows"] + 1) for ref in value["chunks"]]
    and value.update(rows=value["rows"] + len(value["chunks"])))
field("structure-code-name", "structure", lambda m, value: m.choose(m.choose(value["codes"].values())).update(name="Other"))
field("structure-codes-absent", "structure", lambda m, value: value.update(codes={}) if value["codes"] else drop_field(m, value))
field("structure-code-added", "structure", lambda m, value: value["codes"].update(
    {m.choose(value["components"])["id"]: [{"id": "ZZZ", "name": "Z", "aggregate": False}]}))
field("structure-codes-reversed", "structure", lambda m, value: m.choose(value["codes"].values()).reverse())
field("structure-component-renamed", "structure", lambda m, value: m.choose(value["components"]).update(id="RENAMED"))
field("structure-component-type", "structure", lambda m, value: m.choose(value["components"]).update(
    type=m.choose(["integer", "date", "time", "duration"])))
field("structure-component-role", "structure", lambda m, value: value["components"][-1].update(role="attribute"))


# Chunks.


def runs_field(value: Object) -> tuple[dict[str, Any], str]:
    for choice in value["columns"]:
        ((_, fields),) = choice.items()
        for name in ("codes", "present", "exponents", "values", "frequencies"):
            if name in fields and len(fields[name]) >= 2 and 2 <= fields[name][1] < 128:
                return fields, name
    raise NotApplicable("no run of several rows")


def split_run(m: Mutant, value: Object) -> None:
    fields, name = runs_field(value)
    data = fields[name]
    fields[name] = bytes((data[0], 1, data[0], data[1] - 1)) + data[2:]


def run_length(m: Mutant, value: Object) -> None:
    fields, name = runs_field(value)
    data = fields[name]
    fields[name] = bytes((data[0], data[1] + m.choose([-1, 1]))) + data[2:]


def padded_run(m: Mutant, value: Object) -> None:
    fields, name = runs_field(value)
    data = fields[name]
    fields[name] = bytes((data[0] | 0x80, 0)) + data[1:]


def dictionaries(value: Object) -> list[list[str]]:
    return [choice["text"]["dictionary"] for choice in value["columns"] if "text" in choice]


def column_bytes(m: Mutant, value: Object) -> None:
    ((_, fields),) = m.choose(value["columns"]).items()
    name = m.choose(name for name, data in fields.items() if isinstance(data, bytes) and data)
    data = bytearray(fields[name])
    data[m.random.randrange(len(data))] ^= 1 << m.random.randrange(8)
    fields[name] = bytes(data)


field("chunk-run-split", "chunk", split_run)
field("chunk-run-length", "chunk", run_length)
field("chunk-run-padded", "chunk", padded_run)
field("chunk-column-bit", "chunk", column_bytes)
field("chunk-dictionary-unused", "chunk", lambda m, value: m.choose(dictionaries(value)).append("\U0010fffdunused"))
field("chunk-dictionary-reversed", "chunk", lambda m, value: m.choose(dictionaries(value)).reverse())
field("chunk-dictionary-control", "chunk", lambda m, value: m.choose(
    items for items in dictionaries(value) if items).__setitem__(-1, "\uffffx\x07"))
field("chunk-column-absent", "chunk", lambda m, value: value["columns"].pop())
field("chunk-columns-swapped", "chunk", lambda m, value: value["columns"].reverse())
field("chunk-rows", "chunk", lambda m, value: value.update(rows=value["rows"] + m.choose([-1, 1])))


# Tables, written again in canonical coding.


def table_change(name: str, change: Callable[[Mutant, Table], Any]) -> None:
    for kind in ("dataset", "release"):
        MUTATIONS[f"{kind}-{name}"] = lambda m, kind=kind: m.table(kind, lambda table: change(m, table) and None)


def number_places(table: Table) -> list[tuple[int, int]]:
    return [
        (line, index)
        for line, row in enumerate(table.rows)
        for index, cell in enumerate(row)
        if isinstance(cell, Decimal) and index >= table.key_size
    ]


def set_cell(table: Table, line: int, index: int, value: Any) -> None:
    table.rows[line] = (*table.rows[line][:index], value, *table.rows[line][index + 1 :])


def change_number(m: Mutant, table: Table) -> None:
    line, index = m.choose(number_places(table))
    coefficient, exponent = parts(table.rows[line][index])
    set_cell(table, line, index, number(coefficient * 10 + m.random.randrange(1, 10), exponent - 1))


def change_digits(m: Mutant, table: Table) -> None:
    line, index = m.choose(number_places(table))
    coefficient, exponent = parts(table.rows[line][index])
    set_cell(table, line, index, number(coefficient * 10, exponent - 1))


def null_cell(m: Mutant, table: Table) -> None:
    line, index = m.choose(number_places(table))
    set_cell(table, line, index, None)


def null_key(m: Mutant, table: Table) -> None:
    set_cell(table, m.random.randrange(len(table.rows)), m.random.randrange(table.key_size), None)


def code_list(m: Mutant, table: Table) -> None:
    names = [component.id for component in table.components if component.type == "string"]
    table.codes = {**table.codes, m.choose(names): [{"id": "ZZ", "name": "Z", "aggregate": False}]}


def added_column(m: Mutant, table: Table) -> None:
    table.components.append(Component("EXTRA", "attribute", "string"))
    table.rows = [(*row, "x") for row in table.rows]


table_change("number", change_number)
table_change("digits", change_digits)
table_change("null", null_cell)
table_change("null-identifier", null_key)
table_change("row-absent", lambda m, table: table.rows.pop(m.random.randrange(len(table.rows))))
table_change("row-twice", lambda m, table: table.rows.insert(0, table.rows[0]))
table_change("rows-reversed", lambda m, table: table.rows.reverse())
table_change("rows-none", lambda m, table: table.rows.clear())
table_change("code-list", code_list)
table_change("column-added", added_column)


# Documents.


def document_data(m: Mutant, snapshot: Object) -> bytes:
    return b"".join(m.bundle.blocks[piece] for piece in snapshot["pieces"])


def replaced(m: Mutant, change: Callable[[bytes], bytes]) -> bytes:
    """A document with other bytes, all digests and the size right."""
    import hashlib

    def apply(snapshot: Object) -> None:
        data = change(document_data(m, snapshot))
        pieces = [data[start : start + 262_144] for start in range(0, len(data), 262_144)]
        links = [m.rewriter.store(RAW, piece) for piece in pieces]
        snapshot.update(size=len(data), blake3=digest(data), sha256=hashlib.sha256(data).digest(), pieces=links)

    return m.edit("snapshot", apply)


def other_digit(m: Mutant, data: bytes) -> bytes:
    places = [index for index, byte in enumerate(data) if chr(byte) in "123456789"]
    place = m.choose(places)
    return data[:place] + str(m.random.randrange(1, 10)).encode() + data[place + 1 :]


def any_byte(m: Mutant, data: bytes) -> bytes:
    place = m.random.randrange(len(data))
    return data[:place] + bytes((data[place] ^ 1 << m.random.randrange(8),)) + data[place + 1 :]


def without_line(m: Mutant, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.pop(m.random.randrange(len(lines)))
    return b"".join(lines)


def piece_only(m: Mutant) -> bytes:
    """A document with other bytes under the old digests."""
    piece = m.choose(piece for block in m.objects("snapshot") for piece in (m.bundle.object(block) or {})["pieces"])
    m.rewriter.pieces[piece] = lambda data: any_byte(m, data)
    return m.rewriter.finish()


def split_piece(m: Mutant, snapshot: Object) -> None:
    data = document_data(m, snapshot)
    half = len(data) // 2
    snapshot["pieces"] = [m.rewriter.store(RAW, part) for part in (data[:half], data[half:])]


MUTATIONS.update(
    {
        "document-digit": lambda m: replaced(m, lambda data: other_digit(m, data)),
        "document-byte": lambda m: replaced(m, lambda data: any_byte(m, data)),
        "document-line-absent": lambda m: replaced(m, lambda data: without_line(m, data)),
        "document-line-feed": lambda m: replaced(m, lambda data: data + b"\n"),
        "document-cut": lambda m: replaced(m, lambda data: data[: m.random.randrange(len(data))]),
        "document-empty": lambda m: replaced(m, lambda data: b""),
        "document-piece": piece_only,
    }
)
field("snapshot-size", "snapshot", lambda m, value: value.update(size=value["size"] + m.choose([-1, 1])))
field("snapshot-blake3", "snapshot", lambda m, value: value.update(blake3=m.random.randbytes(32)))
field("snapshot-sha256", "snapshot", lambda m, value: value.update(sha256=m.random.randbytes(32)))
field("snapshot-name", "snapshot", lambda m, value: value.update(name="renamed.bin"))
field("snapshot-media-type", "snapshot", lambda m, value: value.update(media_type="application/octet-stream"))
field("snapshot-url", "snapshot", lambda m, value: value.update(url="https://example.org/other"))
field("snapshot-piece-split", "snapshot", split_piece)


def source_field(name: str, change: Callable[[Mutant, Any], Any]) -> None:
    def apply(m: Mutant, value: Object) -> None:
        if not document_ids(value)[0]:
            raise NotApplicable("a data set without a document")
        change(m, value["provenance"]["import"])

    field(name, "dataset", apply)


source_field("reader-version", lambda m, source: source["reader"].update(version=m.choose([1, 2, 3, 99, 0])))
source_field("reader-format", lambda m, source: source["reader"].update(format=m.choose(["csv", "worldbank", "unknown"])))
source_field("reader-area", lambda m, source: source.update(options={**source.get("options", {}), "area": "ZZZ"}))
source_field("reader-frequency", lambda m, source: source.update(
    options={**source.get("options", {}), "frequency": m.choose("ASQMWDX")}))
source_field("reader-options-empty", lambda m, source: source.update(options={}))
source_field("reader-options-absent", lambda m, source: source.pop("options"))
source_field("reader-mapping", lambda m, source: source.update(
    options={**source.get("options", {}), "mapping": m.choose([{"skip": 1}, {"delimiter": ";"}, {"decimal_comma": True}, {}])}))
source_field("companions-absent", lambda m, source: source.pop("companions"))
source_field("companions-empty", lambda m, source: source.update(companions=[]))
source_field("document-twice", lambda m, source: source.update(documents=source["documents"] * 2))


# More entries: forks, retractions, later releases.


def publish_seed(m: Mutant, entry: Entry) -> bytes:
    """The key that signed the entry."""
    if entry.is_genesis or entry.key not in m.seeds:
        raise NotApplicable("the secret key is not known")
    return m.seeds[entry.key]


def second_entry(m: Mutant) -> bytes:
    """Another entry of the same number."""
    entry = m.choose(entry for entry in m.bundle.entries.values() if not entry.is_genesis)
    value = m.bundle.object(entry.object_id)
    if value is None or entry.previous not in m.bundle.entries:
        raise NotApplicable("the entry before is not in the bundle")
    before = m.bundle.entries[entry.previous]
    m.rewriter.append(value, before, entry.seq, publish_seed(m, entry), time=entry.time + 1)
    return m.rewriter.finish()


def fork_at_one(m: Mutant) -> bytes:
    """Two more entries with the number 1."""
    root = m.root
    genesis, value = m.bundle.entries[root.publisher], m.bundle.object(root.object_id)
    for time in (1, 2):
        m.rewriter.append(value or {}, genesis, m.choose([1, root.seq]), publish_seed(m, root), time)
    return m.rewriter.finish()


def retraction(subject: Callable[[Mutant, Entry], Id], scope: Any, ahead: int = 1) -> Mutation:
    def function(m: Mutant) -> bytes:
        root = m.root
        value = {"$type": "retraction", "v": 1, "subject": subject(m, root), "scope": scope, "reason": "An error."}
        m.rewriter.append(value, root, root.seq + ahead, publish_seed(m, root))
        return m.rewriter.finish()

    return function


def retraction_by_other(m: Mutant) -> bytes:
    log = writer.LogWriter(STRANGER, {bytes(32): ["publish"]})
    log.append({"$type": "retraction", "v": 1, "subject": m.root.object_id, "scope": "whole", "reason": "An error."})
    m.rewriter.added += log.records
    return m.rewriter.finish()


def later_release(m: Mutant, **changes: Any) -> bytes:
    root = m.root
    value = m.bundle.object(root.object_id)
    if root.object_type != "release" or value is None:
        raise NotApplicable("the root is not a release")
    later = {**value, "vintage": "later", "supersedes": {"release": root.object_id, "reason": "method"}, **changes}
    ahead = m.choose([1, 5])
    m.rewriter.append(later, root, root.seq + ahead, publish_seed(m, root))
    return m.rewriter.finish()


def attested(m: Mutant, verdict: Any) -> bytes:
    root = m.root
    seed = m.choose(seed for key, seed in m.seeds.items())
    value = {
        "$type": "attestation",
        "v": 1,
        "release": root.object_id,
        "verdict": verdict,
        "results": {},
        "semantics": 1,
        "build": "mutate",
        "sources": {"read": 0, "stated": 0},
    }
    m.rewriter.append(value, root, root.seq + 1, seed)
    return m.rewriter.finish()


def dependency(kind: str) -> Callable[[Mutant, Entry], Id]:
    return lambda m, root: m.choose(m.objects(kind))


MUTATIONS.update(
    {
        "fork": second_entry,
        "fork-below-or-at-root": fork_at_one,
        "retraction-of-object": retraction(lambda m, root: root.object_id, "whole"),
        "retraction-of-entry": retraction(lambda m, root: root.id, "whole", ahead=3),
        "retraction-of-dataset": retraction(dependency("dataset"), "whole"),
        "retraction-of-recipe": retraction(dependency("recipe"), "whole"),
        "retraction-of-points": retraction(lambda m, root: root.object_id, {"points": [["AUT", "2010"]]}),
        "retraction-of-no-points": retraction(lambda m, root: root.object_id, {"points": []}),
        "retraction-of-nothing": retraction(lambda m, root: id_of(RAW, b"nothing"), "whole"),
        "retraction-by-other-publisher": retraction_by_other,
        "superseded": lambda m: later_release(m),
        "superseded-in-other-dataflow": lambda m: later_release(m, dataflow="elsewhere"),
        "later-release": lambda m: later_release(m, supersedes={"release": id_of(DAG_CBOR, b""), "reason": "method"}),
        "attestation": lambda m: attested(m, {"reproduced": {"cells": 1, "read": 0}}),
        "attestation-odd": lambda m: attested(m, {"missing": {"ids": [], "count": 0}}),
    }
)


def mutants(data: bytes, seeds: dict[bytes, bytes], count: int, seed: int) -> Any:
    """Pairs of a kind and the bytes of a mutant; kinds take turns, and no mutant occurs twice."""
    bundle = open_bundle(data)
    seen: set[bytes] = set()
    for turn in range(20 * count // len(MUTATIONS) + 20):
        for name, change in MUTATIONS.items():
            mutant = Mutant(data, bundle, seeds, random.Random(f"{seed}/{name}/{turn}"))
            try:
                changed = change(mutant)
            except (NotApplicable, KeyError, IndexError, AttributeError, ValueError, TypeError):
                continue  # the bundle has no place for this change
            if digest(changed) in seen:
                continue
            seen.add(digest(changed))
            yield name, changed
            if len(seen) >= count:
                return


def main() -> int:
    parser = argparse.ArgumentParser(description="Make mutants of a bundle.")
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", action="store_true", help="verify each mutant; the answers go into the manifest")
    parser.add_argument("--key", type=bytes.fromhex, action="append", default=[], help="secret key, 32 bytes")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    seeds = {ed25519.public_key(key): key for key in arguments.key}
    manifest = []
    for name, data in mutants(arguments.file.read_bytes(), seeds, arguments.count, arguments.seed):
        path = f"{len(manifest):05}-{name}.car"
        (arguments.folder / path).write_bytes(data)
        manifest.append({"file": path, "kind": name})
        if arguments.answers:
            answer, exit_code = verify_bytes(data)
            manifest[-1].update(answer=answer, exit=exit_code)
    summary = {"source": arguments.file.name, "seed": arguments.seed, "mutants": manifest}
    (arguments.folder / "manifest.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{len(manifest)} mutants of {len({item['kind'] for item in manifest})} kinds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
