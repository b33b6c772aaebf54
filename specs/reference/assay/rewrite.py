"""Rewrites a bundle: changed blocks get new ids, links to them follow, and entries are signed again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import bounds, car, cbor, ed25519, entries, writer
from .bundle import Bundle
from .entries import CLAIMS, CONTENT_TYPE, ISSUER, KEY_ID, PREV, SUBJECT
from .errors import Refused
from .ids import DAG_CBOR, RAW, Id, id_of
from .objects import Object
from .tables import Table, encode_table, read_content


class NotApplicable(Exception):
    """The bundle has no place for this change, or the secret key is not known."""


@dataclass
class Draft:
    """An entry before it is signed."""

    header: dict[Any, Any]
    payload: bytes
    seed: bytes | None = None


@dataclass
class Rewriter:
    bundle: Bundle
    seeds: dict[bytes, bytes]
    objects: dict[Id, Callable[[Object], Any]] = field(default_factory=dict)
    encoders: dict[Id, Callable[[Any], bytes]] = field(default_factory=dict)
    pieces: dict[Id, Callable[[bytes], bytes]] = field(default_factory=dict)
    drafts: dict[Id, Callable[[Draft], None]] = field(default_factory=dict)
    envelopes: dict[Id, Callable[[bytes], bytes]] = field(default_factory=dict)
    values: dict[Id, Any] = field(default_factory=dict)
    renamed: dict[Id, Id] = field(default_factory=dict)
    blocks: dict[Id, bytes] = field(default_factory=dict)
    added: list[tuple[Id, bytes]] = field(default_factory=list)

    def id(self, old: Id) -> Id:
        """The id of a block after the changes; that of another block stays."""
        if old not in self.renamed:
            if old in self.bundle.entries:
                self.renamed[old] = self.store(RAW, self.entry(old))
            elif old.codec == DAG_CBOR and self.bundle.object(old) is not None:
                block = self.object(old)
                new = id_of(DAG_CBOR, block)
                if old in self.bundle.blocks:
                    self.blocks[new] = block
                self.renamed[old] = new
            elif old in self.bundle.blocks:
                block = self.bundle.blocks[old]
                self.renamed[old] = self.store(old.codec, self.pieces.get(old, bytes)(block))
            else:
                return old
        return self.renamed[old]

    def store(self, codec: int, block: bytes) -> Id:
        block_id = id_of(codec, block)
        self.blocks[block_id] = block
        return block_id

    def value(self, old: Id) -> Any:
        """The changed value; a change is made once, for it may be a random one."""
        if old not in self.values:
            value = self.bundle.object(old)
            if old in self.objects:
                value = self.objects[old](cbor.decode(cbor.encode(value)))
            self.values[old] = self.relink(value)
        return self.values[old]

    def object(self, old: Id) -> bytes:
        return self.encoders.get(old, cbor.encode)(self.value(old))

    def relink(self, value: Any) -> Any:
        if isinstance(value, Id):
            return self.id(value)
        if isinstance(value, list):
            return [self.relink(item) for item in value]
        if isinstance(value, dict):
            return {key: self.relink(item) for key, item in value.items()}
        return value

    def entry(self, old: Id) -> bytes:
        block = self.bundle.blocks[old]
        protected, payload, _ = entries.decode_envelope(block)
        draft = Draft(cbor.decode(protected, cose=True), payload)
        self.update(draft, self.bundle.entries[old])
        if old in self.drafts:
            self.drafts[old](draft)
        if draft.seed or cbor.encode(draft.header) != protected or draft.payload != payload:
            block = self.sign(draft)
        return self.envelopes.get(old, bytes)(block)

    def update(self, draft: Draft, entry: entries.Entry) -> None:
        """The object, its subject and form, and the entries before."""
        object_id = self.id(entry.object_id)
        block = self.object(entry.object_id) if self.bundle.object(entry.object_id) else None
        if block is not None:
            inline = len(block) <= bounds.INLINE_BYTES_MAX
            draft.payload = block if inline else object_id.data
            value = self.value(entry.object_id)
            self.describe(draft.header, value, inline)
            if not inline:
                self.blocks[object_id] = block
        if PREV in draft.header:
            draft.header[PREV] = self.id(Id(draft.header[PREV])).data
            draft.header[CLAIMS][ISSUER] = str(self.id(entry.publisher))

    def describe(self, header: dict[Any, Any], value: Any, inline: bool) -> None:
        try:
            subject = entries.subject_of(value)
            header[CONTENT_TYPE] = f"application/vnd.assay.{value['$type']}+{'dag-cbor' if inline else 'cid'}"
        except (KeyError, TypeError):
            return
        if isinstance(subject, str):
            header[CLAIMS][SUBJECT] = subject

    def sign(self, draft: Draft) -> bytes:
        seed = draft.seed or self.seeds.get(draft.header.get(KEY_ID, b""))
        if seed is None:
            raise NotApplicable("the secret key is not known")
        return writer.sign_entry(seed, draft.header, draft.payload)

    # Helpers for changes.

    def add(self, value: Any) -> Id:
        return self.store(DAG_CBOR, cbor.encode(value))

    def edit_table(self, content: Id, change: Callable[[Table], None]) -> None:
        """Replaces a content by the table that a change makes of it, in whatever order its rows are."""
        table = read_content(self.bundle.object(content) or {}, lambda block: self.bundle.object(block) or {})
        table = Table(list(table.components), list(table.rows), dict(table.codes))
        change(table)
        new, blocks = encode_table(table)
        self.blocks.update(blocks)
        value = cbor.decode(dict(blocks)[new])
        self.objects[content] = lambda _: value

    def append(self, value: Object, after: entries.Entry, seq: int, seed: bytes, time: int = 0) -> Id:
        """An additional entry behind another one."""
        genesis = self.id(after.publisher)
        position = {"publisher": genesis, "seq": seq, "previous": self.id(after.id)}
        payload, blocks = writer.payload_of(value)
        block = writer.sign_entry(seed, writer.header_for(value, ed25519.public_key(seed), time, **position), payload)
        self.added += [writer.record(block), *blocks]
        return self.added[-1 - len(blocks)][0]

    def finish(self, prune: bool = True) -> bytes:
        """The bundle after the changes; blocks that nothing depends on any more are left out."""
        order = [self.id(old) for old in self.bundle.blocks]
        for object_id in [entry.object_id for entry in self.bundle.entries.values()]:
            self.id(object_id)
        roots = [self.id(root) for root in self.bundle.roots]
        records = dict.fromkeys([*order, *self.blocks, *(block_id for block_id, _ in self.added)])
        blocks = {**self.blocks, **dict(self.added)}
        kept = used_blocks(roots, blocks) if prune else set(blocks)
        return car.write(roots, [(block_id, blocks[block_id]) for block_id in records if block_id in kept])


def used_blocks(roots: list[Id], blocks: dict[Id, bytes]) -> set[Id]:
    """Entries, valid or not, and what their objects depend on."""
    bundle = Bundle(roots, blocks)
    used = {block_id for block_id in blocks if block_id in roots}
    for block_id, block in blocks.items():
        if block_id.codec != RAW:
            continue
        try:
            entry = entries.decode_entry(block)
        except Refused:
            if block[:1] == b"\xd2":
                return set(blocks)
            continue
        if entry.inline is not None:
            bundle.decoded[entry.object_id] = entries.decode_object(entry.inline)
        bundle.entries[block_id] = entry
    for entry in bundle.entries.values():
        used |= {entry.id, entry.object_id, *(block_id for block_id, _ in bundle.closure(entry.object_id))}
    return used
