"""Log entries: log.md."""

import re
from dataclasses import dataclass
from typing import Any

from . import bounds, cbor, ed25519, fields
from .decimals import INT64_MAX, INT64_MIN
from .errors import Refused
from .ids import DAG_CBOR, RAW, Id, id_of, parse_id, parse_id_text
from .objects import OBJECTS, Object, decode_object

ALGORITHM, CONTENT_TYPE, KEY_ID, CLAIMS = 1, 3, 4, 15
ISSUER, SUBJECT, ISSUED_AT = 1, 2, 6
SEQ, AUTH, PREV = "assay-seq", "assay-auth", "assay-prev"
TAG_SIGN1 = 18
UINT64_MAX = 2**64 - 1
LOG_TYPES = ("dataset", "recipe", "release", "retraction", "attestation")


@dataclass(frozen=True)
class Entry:
    """An entry that is valid by itself. The genesis has the sequence number 0 and no previous entry."""

    id: Id
    key: bytes
    object_type: str
    object_id: Id
    inline: bytes | None
    subject: str
    time: int
    publisher: Id
    seq: int
    authority: int
    previous: Id | None

    @property
    def is_genesis(self) -> bool:
        return self.previous is None


def require(condition: bool, code: str, message: str) -> None:
    if not condition:
        raise Refused(code, message)


def decode_entry(block: bytes) -> Entry:
    require(len(block) <= bounds.ENTRY_BYTES_MAX, "large", "an entry has at most ENTRY_BYTES_MAX bytes")
    protected, payload, signature = decode_envelope(block)
    header = cbor.decode(protected, cose=True)
    require(isinstance(header, dict), "header", "the protected header is a map")
    object_type, inline = check_header(header)
    object_id = check_payload(payload, object_type, inline, header[CLAIMS][SUBJECT])
    ed25519.verify(header[KEY_ID], signature_input(protected, payload), signature)
    claims = header[CLAIMS]
    entry_id = id_of(RAW, block)
    return Entry(
        id=entry_id,
        key=header[KEY_ID],
        object_type=object_type,
        object_id=object_id,
        inline=payload if inline else None,
        subject=claims[SUBJECT],
        time=claims[ISSUED_AT],
        publisher=parse_id_text(claims[ISSUER]) if ISSUER in claims else entry_id,
        seq=header.get(SEQ, 0),
        authority=header.get(AUTH, 0),
        previous=Id(header[PREV]) if PREV in header else None,
    )


def decode_envelope(block: bytes) -> tuple[bytes, bytes, bytes]:
    """Protected header, payload and signature."""
    reader = cbor.Reader(block, cose=True)
    tagged = block[:1] == b"" or block[0] >> 5 == cbor.TAG
    if tagged:
        require(reader.head()[1] == TAG_SIGN1, "tag", "COSE_Sign1 only")
    parts = reader.item()
    reader.end()
    require(tagged, "no-tag", "an entry carries tag 18")
    require(isinstance(parts, list) and len(parts) == 4, "parts", "an envelope has four parts")
    protected, unprotected, payload, signature = parts
    require(unprotected == {} and isinstance(unprotected, dict), "unprotected", "the unprotected header is empty")
    for part in (protected, payload, signature):
        require(isinstance(part, bytes), "parts", "the other parts are byte strings")
    require(len(signature) == 64, "signature-length", "a signature has 64 bytes")
    return protected, payload, signature


def signature_input(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052, section 4.4."""
    return cbor.encode(["Signature1", protected, b"", payload])


def check_header(header: dict[Any, Any]) -> tuple[str, bool]:
    """The object type, and whether the object is inline."""
    require(type(header.get(ALGORITHM)) is int and header[ALGORITHM] == -8, "algorithm", "EdDSA only")
    object_type, inline = parse_content_type(header.get(CONTENT_TYPE))
    require(isinstance(header.get(KEY_ID), bytes), "key-id", "the key is a byte string")
    claims = header.get(CLAIMS)
    require(isinstance(claims, dict), "claims", "claims are a map")
    check_claims(claims)
    labels = {ALGORITHM, CONTENT_TYPE, KEY_ID, CLAIMS, SEQ, AUTH, PREV}
    require(set(header) <= labels and set(claims) <= {ISSUER, SUBJECT, ISSUED_AT}, "label", "an unknown label")
    check_position(header)
    return object_type, inline


def parse_content_type(value: Any) -> tuple[str, bool]:
    match = re.fullmatch(r"application/vnd\.assay\.([a-z]+)\+(dag-cbor|cid)", value) if isinstance(value, str) else None
    if not match or match[1] not in OBJECTS:
        raise Refused("content-type", "application/vnd.assay.<object type>+dag-cbor or +cid")
    return match[1], match[2] == "dag-cbor"


def check_claims(claims: dict[Any, Any]) -> None:
    subject, time = claims.get(SUBJECT), claims.get(ISSUED_AT)
    require(isinstance(subject, str), "subject", "an entry has a subject")
    require(len(subject.encode()) <= 256 and fields.is_line(subject), "subject", "a subject is one line")
    require(type(time) is int and INT64_MIN <= time <= INT64_MAX, "time", "issued at: seconds, signed 64 bits")


def check_position(header: dict[Any, Any]) -> None:
    """Issuer, sequence number, authority and previous entry: all or none."""
    claims = header[CLAIMS]
    present = [ISSUER in claims, SEQ in header, AUTH in header, PREV in header]
    require(all(present) or not any(present), "place", "all four or none")
    if not any(present):
        return
    seq, authority = header[SEQ], header[AUTH]
    require(type(seq) is int and 1 <= seq <= UINT64_MAX, "place", "sequence numbers are from 1")
    require(type(authority) is int and 0 <= authority < seq, "place", "the authority is below")
    require(isinstance(header[PREV], bytes), "place", "the previous entry is a byte string")
    try:
        previous = parse_id(header[PREV])
    except Refused:
        raise Refused("prev", "the previous entry is an id of 36 bytes") from None
    require(previous.codec == RAW, "prev", "the previous entry is an entry")
    require(is_entry_id_text(claims[ISSUER]), "issuer", "the issuer is a publisher id")


def is_entry_id_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_id_text(value).codec == RAW
    except Refused:
        return False


def check_payload(payload: bytes, object_type: str, inline: bool, subject: str) -> Id:
    """The id of the object. An inline object is valid and the one that the header states."""
    if not inline:
        try:
            object_id = parse_id(payload)
        except Refused:
            raise Refused("payload", "the payload is an id of 36 bytes") from None
        require(object_id.codec == DAG_CBOR, "payload", "the payload is the id of an object")
        return object_id
    require(len(payload) <= bounds.INLINE_BYTES_MAX, "inline", "a large object is included by its id")
    value = decode_object(payload)
    require(value["$type"] == object_type, "content-type", "the content type names another object type")
    check_subject(value, subject)
    return id_of(DAG_CBOR, payload)


def check_subject(value: Object, subject: str) -> None:
    expected = subject_of(value)
    require(expected is None or expected == subject, "subject", "the subject is that of another object")


def subject_of(value: Object) -> str | None:
    """None for object types that no log carries."""
    kind = value["$type"]
    if kind == "identity":
        return value["name"]
    if kind in ("dataset", "release"):
        return value["dataflow"]
    if kind == "recipe":
        return value["indicator"]
    if kind == "retraction":
        return str(value["subject"])
    if kind == "attestation":
        return str(value["release"])
    return None


def check_linked(entry: Entry, block: bytes, value: Object) -> None:
    """Log.md, section 3, for an object that an entry includes by its id."""
    require(len(block) > bounds.INLINE_BYTES_MAX, "inline", "a small object is inline")
    require(value["$type"] == entry.object_type, "content-type", "the object has another type")
    check_subject(value, entry.subject)


def check_genesis(entry: Entry, value: Object | None) -> None:
    """Log.md, section 5, rule 1."""
    valid = entry.is_genesis and entry.object_type == "identity" and entry.inline is not None
    require(valid and value is not None, "genesis", "a log begins with an identity, inline")
    require(entry.key in value["roots"], "genesis", "one of the root keys signs the genesis")


def check_right(entry: Entry, identity: Object) -> None:
    """Log.md, section 5, rules 5 and 6."""
    require(entry.object_type in LOG_TYPES, "kind", "a log does not carry this object type")
    use = "attest" if entry.object_type == "attestation" else "publish"
    allowed = any(key["key"] == entry.key and use in key["uses"] for key in identity["keys"])
    require(entry.authority == 0 and allowed, "key", "the key may not sign this object type")


def check_log(entries: list[Entry]) -> None:
    """Log.md, section 5: every rule, over a whole log."""
    require(bool(entries) and entries[0].is_genesis, "genesis", "a log begins at 0")
    genesis = entries[0]
    identity = decode_object(genesis.inline) if genesis.inline else None
    check_genesis(genesis, identity)
    for previous, entry in zip(entries, entries[1:]):
        check_next(previous, entry, genesis)
        check_right(entry, identity or {})


def check_next(previous: Entry, entry: Entry, genesis: Entry) -> None:
    require(not entry.is_genesis, "fork", "sequence number 0 is taken")
    require(entry.publisher == genesis.id, "publisher", "a log has one publisher")
    require(entry.seq > previous.seq, "fork", "the sequence number is taken")
    require(entry.seq == previous.seq + 1, "gap", "sequence numbers ascend by one")
    require(entry.previous == previous.id, "prev", "the previous entry is another one")
