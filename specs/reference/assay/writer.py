"""Writes entries and bundles, for the tests and for mutants."""

from typing import Any

from . import bounds, car, cbor, ed25519
from .entries import AUTH, CLAIMS, CONTENT_TYPE, ISSUED_AT, ISSUER, KEY_ID, PREV, SEQ, SUBJECT, ALGORITHM
from .entries import TAG_SIGN1, signature_input, subject_of
from .ids import DAG_CBOR, RAW, Id, id_of
from .objects import Object

Header = dict[Any, Any]


def header_for(value: Object, key: bytes, time: int = 0, **position: Any) -> Header:
    """`position`: publisher, seq and previous; none for a genesis."""
    suffix = "dag-cbor" if len(cbor.encode(value)) <= bounds.INLINE_BYTES_MAX else "cid"
    claims: Header = {SUBJECT: subject_of(value) or "", ISSUED_AT: time}
    content_type = f"application/vnd.assay.{value['$type']}+{suffix}"
    header: Header = {ALGORITHM: -8, CONTENT_TYPE: content_type, KEY_ID: key, CLAIMS: claims}
    if position:
        claims[ISSUER] = str(position["publisher"])
        header.update({SEQ: position["seq"], AUTH: 0, PREV: position["previous"].data})
    return header


def sign_entry(seed: bytes, header: Header, payload: bytes) -> bytes:
    protected = cbor.encode(header)
    signature = ed25519.sign(seed, signature_input(protected, payload))
    return envelope(protected, payload, signature)


def envelope(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    return cbor.encode_head(cbor.TAG, TAG_SIGN1) + cbor.encode([protected, {}, payload, signature])


def payload_of(value: Object) -> tuple[bytes, list[tuple[Id, bytes]]]:
    """The payload of an entry, and the block of an object that is not inline."""
    block = cbor.encode(value)
    if len(block) <= bounds.INLINE_BYTES_MAX:
        return block, []
    object_id = id_of(DAG_CBOR, block)
    return object_id.data, [(object_id, block)]


def record(block: bytes, codec: int = RAW) -> tuple[Id, bytes]:
    return id_of(codec, block), block


class LogWriter:
    """One log, from its genesis on."""

    def __init__(self, root_seed: bytes, seeds: dict[bytes, list[str]], name: str = "Office") -> None:
        self.seeds = seeds
        keys = [{"key": ed25519.public_key(seed), "uses": uses} for seed, uses in seeds.items()]
        root = ed25519.public_key(root_seed)
        identity = {"$type": "identity", "v": 1, "name": name, "roots": [root], "next_root": bytes(32), "keys": keys}
        genesis = sign_entry(root_seed, header_for(identity, root), cbor.encode(identity))
        self.records = [record(genesis)]
        self.publisher = self.previous = self.records[0][0]
        self.seq = 0

    def append(self, value: Object) -> Id:
        """Signs an object; the id of the entry."""
        use = "attest" if value["$type"] == "attestation" else "publish"
        seed = next(seed for seed, uses in self.seeds.items() if use in uses)
        self.seq += 1
        position = {"publisher": self.publisher, "seq": self.seq, "previous": self.previous}
        payload, blocks = payload_of(value)
        block = sign_entry(seed, header_for(value, ed25519.public_key(seed), **position), payload)
        self.records += [record(block), *blocks]
        self.previous = self.records[-1 - len(blocks)][0]
        return self.previous


def pack(roots: list[Id], records: list[tuple[Id, bytes]]) -> bytes:
    return car.write(roots, records)
