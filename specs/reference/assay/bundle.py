"""Bundles: bundle.md, section 3, rules 1 to 8. A Bundle has passed them all."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import car, entries
from .entries import Entry
from .errors import BundleError, Refused
from .ids import DAG_CBOR, RAW, Id
from .objects import Object, decode_object, dependencies


@dataclass
class Bundle:
    roots: list[Id]
    blocks: dict[Id, bytes]
    entries: dict[Id, Entry] = field(default_factory=dict)
    decoded: dict[Id, Object | None] = field(default_factory=dict)

    def object(self, block_id: Id) -> Object | None:
        """The object of a block; None if it is absent or breaks a rule of objects.md."""
        if block_id not in self.decoded:
            self.decoded[block_id] = self.decode(block_id)
        return self.decoded[block_id]

    def decode(self, block_id: Id) -> Object | None:
        if block_id.codec != DAG_CBOR or block_id not in self.blocks:
            return None
        try:
            return decode_object(self.blocks[block_id])
        except Refused:
            return None

    def closure(self, object_id: Id) -> Iterator[tuple[Id, str]]:
        """The blocks that an object depends on, directly or through others, each once for each expected type."""
        pending, seen = [object_id], set()
        while pending:
            value = self.object(pending.pop())
            for dependency in dependencies(value) if value else []:
                if dependency not in seen:
                    seen.add(dependency)
                    pending.append(dependency[0])
                    yield dependency

    def entries_of(self, object_id: Id) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.object_id == object_id]


def open_bundle(data: bytes) -> Bundle:
    """Rules 1 to 8, in this order."""
    archive = read_archive(data)
    bundle = Bundle(list(dict.fromkeys(archive.roots)), dict(archive.records))
    check_roots(bundle)
    find_entries(bundle)
    check_geneses(bundle)
    check_rights(bundle)
    check_objects(bundle)
    check_references(bundle)
    return bundle


def read_archive(data: bytes) -> car.Car:
    try:
        archive = car.read_framing(data)
    except Refused as error:
        raise BundleError("framing", error.message) from None
    try:
        car.check_hashes(archive)
    except Refused as error:
        raise BundleError("hash", error.message) from None
    return archive


def check_roots(bundle: Bundle) -> None:
    if not bundle.roots:
        raise BundleError("root", "the bundle has no root")
    for root in bundle.roots:
        if root.codec != RAW or root not in bundle.blocks:
            raise BundleError("root", f"the root {root} is not the id of an entry in the file")


def find_entries(bundle: Bundle) -> None:
    for block_id, block in bundle.blocks.items():
        if block_id.codec != RAW:
            continue
        try:
            bundle.entries[block_id] = entries.decode_entry(block)
        except Refused as error:
            if block_id in bundle.roots:
                raise BundleError("entry", f"{block_id}: {error}") from None
    for entry in bundle.entries.values():
        if entry.inline is not None:
            bundle.decoded[entry.object_id] = decode_object(entry.inline)


def check_geneses(bundle: Bundle) -> None:
    for entry in bundle.entries.values():
        genesis = bundle.entries.get(entry.publisher)
        if genesis is None:
            raise BundleError("genesis", f"the genesis of {entry.id} is not in the file")
        try:
            entries.check_genesis(genesis, bundle.object(genesis.object_id))
        except Refused as error:
            raise BundleError("genesis", error.message) from None


def check_rights(bundle: Bundle) -> None:
    for entry in bundle.entries.values():
        if entry.is_genesis:
            continue
        identity = bundle.object(bundle.entries[entry.publisher].object_id)
        try:
            entries.check_right(entry, identity or {})
        except Refused as error:
            raise BundleError("key", f"{entry.id}: {error.message}") from None


def check_objects(bundle: Bundle) -> None:
    """Inline objects were checked with their entries."""
    for entry in bundle.entries.values():
        if entry.inline is not None:
            continue
        block = bundle.blocks.get(entry.object_id)
        if block is None and entry.id not in bundle.roots:
            continue
        if block is None:
            raise BundleError("object", f"the object of the root {entry.id} is not in the file")
        try:
            entries.check_linked(entry, block, decode_object(block))
        except Refused as error:
            raise BundleError("object", f"{entry.object_id}: {error.message}") from None


def check_references(bundle: Bundle) -> None:
    used = set(bundle.entries)
    for entry in bundle.entries.values():
        used.add(entry.object_id)
        used.update(block_id for block_id, _ in bundle.closure(entry.object_id))
    # The dependencies of an object that does not follow objects.md are not known; rule 10 finds it.
    objects = [block_id for block_id in used if block_id.codec == DAG_CBOR and block_id in bundle.blocks]
    if any(bundle.object(block_id) is None for block_id in objects):
        return
    for block_id in bundle.blocks:
        if block_id not in used:
            raise BundleError("unreferenced", f"no object of an entry depends on {block_id}")
