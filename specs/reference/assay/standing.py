"""The standing of a root: bundle.md, section 3."""

from .bundle import Bundle
from .entries import Entry
from .ids import Id
from .objects import Object

Standing = dict[str, bool]


def standing(bundle: Bundle, entry: Entry) -> Standing:
    scopes = retraction_scopes(bundle, entry)
    return {
        "retracted": "whole" in scopes,
        "retracted_in_part": "points" in scopes,
        "superseded": is_superseded(bundle, entry),
        "contested": is_contested(bundle, entry),
    }


def retraction_scopes(bundle: Bundle, entry: Entry) -> set[str]:
    """Of the retractions of the entry or its object by the publisher of the entry."""
    scopes = set()
    for other in bundle.entries.values():
        if other.publisher != entry.publisher or other.object_type != "retraction":
            continue
        retraction = bundle.object(other.object_id)
        if retraction and retraction["subject"] in (entry.id, entry.object_id):
            scopes.add("whole" if retraction["scope"] == "whole" else "points")
    return scopes


def is_superseded(bundle: Bundle, entry: Entry) -> bool:
    """A later release of the publisher and dataflow leads back to this one."""
    if entry.object_type != "release":
        return False
    later = {}
    for other in bundle.entries.values():
        if other.publisher == entry.publisher and other.object_type == "release" and other.subject == entry.subject:
            later[other.object_id] = max(other.seq, later.get(other.object_id, 0))
    return any(
        seq > entry.seq and leads_back(bundle, object_id, entry.object_id) for object_id, seq in later.items()
    )


def leads_back(bundle: Bundle, release_id: Id, target: Id) -> bool:
    """Hashes make a cycle impossible."""
    release = bundle.object(release_id)
    while release and "supersedes" in release:
        previous = release["supersedes"]["release"]
        if previous == target:
            return True
        release = bundle.object(previous)
    return False


def is_contested(bundle: Bundle, entry: Entry) -> bool:
    """Two entries of this log have one sequence number that is not above that of the entry."""
    seqs = [other.seq for other in bundle.entries.values() if other.publisher == entry.publisher]
    return any(seqs.count(seq) > 1 for seq in set(seqs) if seq <= entry.seq)


def standings_above(bundle: Bundle, object_id: Id) -> list[dict[str, object]]:
    """The same for each data set, recipe and release that the root depends on and an entry of the bundle published."""
    result: list[dict[str, object]] = []
    for above in dict.fromkeys(block_id for block_id, _ in bundle.closure(object_id)):
        value: Object | None = bundle.object(above)
        if value and value["$type"] in ("dataset", "recipe", "release"):
            for entry in bundle.entries_of(above):
                result.append({"entry": str(entry.id), "object": str(above), "standing": standing(bundle, entry)})
    return result
