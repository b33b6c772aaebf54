"""Verification of roots: bundle.md, section 3, rules 9 to 17, and section 6."""

from dataclasses import dataclass, field
from typing import Any

from . import bounds, documents, engine, readers
from .bundle import Bundle
from .compare import JsonObject, Tally, compare, compare_dataset, divergence
from .documents import Document
from .entries import Entry
from .errors import Refused, VerdictError, failed, invalid, not_run
from .ids import Id
from .objects import Object
from .tables import Component, Table, check_normalised, components_of, content_id, read_content

READ_VARIANTS = ("missing", "invalid")


@dataclass
class Run:
    """A release that was verified: what was found, and the results that its recipe gives."""

    tally: Tally
    results: dict[str, Table] = field(default_factory=dict)
    error: VerdictError | None = None

    def verdict(self) -> JsonObject:
        if self.error and (self.tally.first is None or self.error.variant in READ_VARIANTS):
            return {self.error.variant: self.error.fields}
        return tally_verdict(self.tally)


def tally_verdict(tally: Tally) -> JsonObject:
    counts = {"cells": tally.cells, "read": tally.read}
    if tally.first is None:
        return {"reproduced": counts}
    return {"differs": {"first": tally.first, "count": tally.count, **counts}}


class Verifier:
    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.tables: dict[Id, Table] = {}
        self.documents: dict[Id, Document] = {}
        self.runs: dict[Id, Run] = {}
        self.above = 0

    def verify(self, entry: Entry) -> JsonObject:
        """The verdict on the object of an entry."""
        self.above = 0
        self.runs = {}
        value = self.object(entry.object_id)
        if value["$type"] == "release":
            return self.release(entry.object_id, 0).verdict()
        tally = Tally()
        try:
            self.check_dependencies(entry.object_id)
            if value["$type"] == "dataset":
                return self.dataset_verdict(entry.object_id, tally)
            if value["$type"] == "recipe":
                engine.check(value)
            if value["$type"] == "attestation":
                for table in value["verdict"].get("differs", {}).get("differences", {}).values():
                    self.table(table)
        except VerdictError as error:
            return {error.variant: error.fields}
        return {"complete": {}}

    def object(self, object_id: Id) -> Object:
        value = self.bundle.object(object_id)
        if value is None:
            raise invalid(str(object_id), "object", "the object is absent or breaks a rule of objects.md")
        return value

    # Rules 9 and 10.

    def check_dependencies(self, object_id: Id) -> None:
        closure = list(self.bundle.closure(object_id))
        missing = list(dict.fromkeys(block for block, _ in closure if not self.is_present(block)))
        if missing:
            ids = [str(block) for block in missing[: bounds.MISSING_MAX]]
            raise VerdictError("missing", {"ids": ids, "count": len(missing)})
        for block, expected in closure:
            if expected != "piece" and self.object(block)["$type"] != expected:
                raise invalid(str(block), "object", f"expected a {expected}")

    def is_present(self, block: Id) -> bool:
        return block in self.bundle.blocks or block in self.bundle.decoded and self.bundle.decoded[block] is not None

    # Rule 11.

    def table(self, object_id: Id, result: bool = False) -> Table:
        try:
            if object_id not in self.tables:
                self.tables[object_id] = read_content(self.object(object_id), self.object)
            if result:
                check_normalised(self.tables[object_id])
        except Refused as error:
            raise invalid(str(object_id), "content", error.message) from None
        return self.tables[object_id]

    # Rule 12.

    def check_documents(self, dataset: Object) -> None:
        document_ids, companion_ids = documents.document_ids(dataset)
        snapshots = [self.object(snapshot) for snapshot in document_ids + companion_ids]
        for snapshot_id, snapshot in zip(document_ids + companion_ids, snapshots):
            try:
                if snapshot_id not in self.documents:
                    self.documents[snapshot_id] = documents.read_document(self.bundle, snapshot)
                documents.check_size(snapshots)
            except Refused as error:
                raise invalid(str(snapshot_id), "document", error.message) from None

    # Rules 13 and 14.

    def dataset_verdict(self, dataset_id: Id, tally: Tally) -> JsonObject:
        dataset = self.object(dataset_id)
        self.table(dataset["content"])
        self.check_documents(dataset)
        self.given_data(dataset_id, tally, 0)
        return {"complete": {}} if dataset["provenance"] == "stated" else tally_verdict(tally)

    def given_data(self, dataset_id: Id, tally: Tally, depth: int) -> Table:
        """The data that the documents, or the release above, give; of a stated data set its own."""
        dataset = self.object(dataset_id)
        published = self.table(dataset["content"])
        provenance = dataset["provenance"]
        if provenance == "stated":
            return published
        name = {"dataset": str(dataset_id)}
        if "release" in provenance:
            given = self.result_above(dataset_id, provenance["release"], depth)
            if content_id(given) != dataset["content"]:
                compare_dataset(tally, name, published, given, {})
            else:
                tally.read += compare(Tally(), name, published, given)
            return given
        return self.read_again(dataset_id, published, provenance["import"], tally)

    def read_again(self, dataset_id: Id, published: Table, source: Any, tally: Tally) -> Table:
        """Rule 13."""
        name = {"dataset": str(dataset_id)}
        reader, options = source["reader"], source.get("options", {})
        files = [self.documents[document] for document in source["documents"]]
        companions = [self.documents[document] for document in source.get("companions", [])]
        known = readers.VERSIONS.get(reader["format"])
        if known is None:
            raise not_run("reader", f"no reader for the format {reader['format']}")
        found = Tally()
        try:
            given, positions = readers.read(reader["format"], files, companions, options)
            compare_dataset(found, name, published, given, positions)
        except Refused as error:
            if error.code == "not-run":
                raise not_run("reader", error.message) from None
            self.check_version(reader, known)
            raise invalid(str(dataset_id), "reader", error.message) from None
        tally.read += found.read
        if found.first is not None:
            self.check_version(reader, known)
            tally.differ(found.count, found.first)
        return given

    def check_version(self, reader: Any, known: int) -> None:
        if reader["version"] != known:
            raise not_run("reader-version", f"the reader has version {known}, not {reader['version']}")

    def result_above(self, dataset_id: Id, source: Any, depth: int) -> Table:
        """Rule 14: the result of the run above, not the published one."""
        if depth + 1 > bounds.RELEASE_DEPTH_MAX:
            raise not_run("depth", "releases above are deeper than RELEASE_DEPTH_MAX")
        run = self.release_above(source["release"], depth + 1)
        if run.error:
            raise run.error
        if source["output"] not in run.results:
            raise invalid(str(dataset_id), "object", "the release above does not have this output")
        return run.results[source["output"]]

    def release_above(self, release_id: Id, depth: int) -> Run:
        if release_id not in self.runs:
            self.above += 1
            if self.above > bounds.RELEASES_ABOVE_MAX:
                raise not_run("depth", "more releases above than RELEASES_ABOVE_MAX")
            self.runs[release_id] = self.release(release_id, depth)
        return self.runs[release_id]

    # Rules 9 to 17 for a release.

    def release(self, release_id: Id, depth: int) -> Run:
        run = Run(Tally())
        release = self.object(release_id)
        try:
            self.check_dependencies(release_id)
            self.check_tables(release)
            inputs = self.inputs(release, run, depth)
            steps = self.run_recipe(release, inputs, run)
            self.compare_results(release_id, release, run)
            compare_steps(release, steps, run.tally)
        except VerdictError as error:
            run.error = error
        return run

    def check_tables(self, release: Object) -> None:
        datasets = [self.object(release["inputs"][name]) for name in sorted(release["inputs"])]
        for dataset in datasets:
            self.table(dataset["content"])
        for name in sorted(release["results"]):
            self.table(release["results"][name], result=True)
        for dataset in datasets:
            self.check_documents(dataset)

    def inputs(self, release: Object, run: Run, depth: int) -> dict[str, Table]:
        """A `failed` or `not_run` after a difference leaves the difference, but `invalid` may still follow."""
        tables: dict[str, Table] = {}
        pending: VerdictError | None = None
        for name in sorted(release["inputs"]):
            try:
                tables[name] = self.given_data(release["inputs"][name], run.tally, depth)
            except VerdictError as error:
                if error.variant in READ_VARIANTS or run.tally.first is None:
                    raise
                pending = pending or error
        if pending:
            raise pending
        return tables

    # Rule 15.

    def run_recipe(self, release: Object, inputs: dict[str, Table], run: Run) -> int | None:
        recipe = self.object(release["recipe"])
        if set(release["results"]) != set(recipe["outputs"]):
            raise failed("outputs", "the results are not the outputs of the recipe")
        if set(release["inputs"]) != set(recipe["inputs"]):
            raise failed("inputs", "the inputs are not those of the recipe")
        declared = {name: components_of(recipe["inputs"][name]["components"]) for name in sorted(inputs)}
        projected = {name: project(name, inputs[name], declared[name]) for name in declared}
        outputs, steps = engine.run(recipe, projected)
        for name, table in outputs.items():
            table.codes = code_lists(table, inputs)
            run.results[name] = table
        return steps

    # Rules 16 and 17.

    def compare_results(self, release_id: Id, release: Object, run: Run) -> None:
        not_canonical = None
        for name in sorted(release["results"]):
            published = self.table(release["results"][name])
            before = run.tally.count
            run.tally.cells += compare(run.tally, {"output": name}, published, run.results[name])
            if run.tally.count == before and content_id(run.results[name]) != release["results"][name]:
                not_canonical = not_canonical or str(release["results"][name])
        if not_canonical:
            raise invalid(not_canonical, "canonical", "the published result is not canonical")


def compare_steps(release: Object, steps: int | None, tally: Tally) -> None:
    if steps is not None and tally.first is None and steps != release["steps"]:
        tally.differ(1, divergence("steps", published=release["steps"], computed=steps))


def project(name: str, table: Table, declared: list[Component]) -> Table:
    """Section 6: the declared components, in the declared order."""
    known = {component.id: component for component in table.components}
    for component in declared:
        if known.get(component.id) != component:
            raise failed("structure", f"{name}: the component {component.id} is missing or differs")
    for component in table.components:
        if component.is_identifier and component not in declared:
            raise failed("structure", f"{name}: the identifier {component.id} is not declared")
    order = [table.names.index(component.id) for component in declared]
    result = Table(declared, [tuple(row[index] for index in order) for row in table.rows], {})
    result.sort()
    return result


def code_lists(table: Table, inputs: dict[str, Table]) -> dict[str, list[dict[str, Any]]]:
    """Section 6: the codes of the inputs that occur in a result."""
    result = {}
    for index, component in enumerate(table.components):
        known: dict[str, dict[str, Any]] = {}
        for name in sorted(inputs):
            for code in inputs[name].codes.get(component.id, []):
                known.setdefault(code["id"], code)
        used = {row[index] for row in table.rows} & set(known) if known else set()
        if used:
            result[component.id] = [known[code] for code in sorted(used)]
    return result
