"""Bundles made here: one release on stated data, and one case for most rules of bundle.md, section 3."""

import json
import unittest
from decimal import Decimal
from pathlib import Path
from typing import Any

from assay import cbor, writer
from assay.ids import DAG_CBOR, Id, id_of
from assay.periods import parse_period
from assay.tables import Component, Table, encode_table
from verify import verify_bytes

ROOT, PUBLISH, ATTEST = (bytes([n]) * 32 for n in (1, 2, 3))
COMPONENTS = [
    Component("REF_AREA", "identifier", "string"),
    Component("TIME_PERIOD", "identifier", "time_period"),
    Component("OBS_VALUE", "measure", "number"),
]
SCRIPT = "inflation <- prices / timeshift(prices, 1) * 100 - 100;"


def table(values: dict[str, str]) -> Table:
    return Table(COMPONENTS, [("AUT", parse_period(period), Decimal(value)) for period, value in values.items()])


class Sample:
    """A log with a data set, a recipe and a release, and its blocks. Parts can be replaced before `pack`."""

    def __init__(self, **changes: Any) -> None:
        self.log = writer.LogWriter(ROOT, {PUBLISH: ["publish"], ATTEST: ["attest"]})
        self.blocks: list[tuple[Id, bytes]] = []
        prices = changes.get("prices") or table({"2010": "100.0", "2011": "110.0", "2012": "121"})
        result = changes.get("result") or table({"2011": "1E+1", "2012": "1E+1"})
        dataset = {"dataflow": "cpi", "title": "Prices", "content": self.store(prices), "provenance": "stated"}
        recipe = {
            "title": "Inflation",
            "indicator": "inflation",
            "script": SCRIPT,
            "inputs": {"prices": {"title": "Prices", "components": [vars(item) for item in COMPONENTS]}},
            "outputs": {"inflation": {"title": "Inflation", "unit": "per cent"}},
            "semantics": 1,
            "limits": {"steps": 1000, "cells": 1000},
            "description": "",
            "references": [],
            "licence": "CC0-1.0",
        }
        self.dataset = self.publish("dataset", dataset)
        self.recipe = self.publish("recipe", {**recipe, **changes.get("recipe", {})})
        release = {
            "dataflow": "inflation",
            "vintage": "first",
            "recipe": self.recipe,
            "inputs": {"prices": self.dataset},
            "results": {"inflation": self.store(result)},
            "steps": 1,
        }
        self.release = self.publish("release", {**release, **changes.get("release", {})})
        self.roots = [self.log.previous]

    def store(self, value: Table) -> Id:
        content, blocks = encode_table(value)
        known = dict(self.blocks)
        self.blocks += [block for block in blocks if block[0] not in known]
        return content

    def publish(self, kind: str, fields: dict[str, Any]) -> Id:
        value = {"$type": kind, "v": 1, **fields}
        self.log.append(value)
        return id_of(DAG_CBOR, cbor.encode(value))

    def pack(self) -> bytes:
        return writer.pack(self.roots, self.log.records + self.blocks)


def outcome(data: bytes) -> tuple[str, int]:
    """Error code or verdict, with the exit code."""
    answer, code = verify_bytes(data)
    if "error" in answer:
        return answer["error"]["code"], code
    ((variant, fields),) = answer["roots"][0]["verdict"].items()
    return f"{variant} {fields['code']}" if "code" in fields else variant, code


class Bundles(unittest.TestCase):
    def expect(self, sample: Sample, expected: str, code: int) -> None:
        self.assertEqual(outcome(sample.pack()), (expected, code))

    def test_reproduced(self) -> None:
        self.expect(Sample(), "reproduced", 0)

    def test_framing(self) -> None:
        self.assertEqual(outcome(Sample().pack()[:-1]), ("framing", 2))

    def test_hash(self) -> None:
        data = Sample().pack()
        self.assertEqual(outcome(data[:-1] + bytes([data[-1] ^ 1])), ("hash", 4))

    def test_root(self) -> None:
        sample = Sample()
        sample.roots = [sample.release]
        self.expect(sample, "root", 4)

    def test_genesis(self) -> None:
        sample = Sample()
        del sample.log.records[0]
        self.expect(sample, "genesis", 4)

    def test_unreferenced(self) -> None:
        sample = Sample()
        sample.blocks.append(writer.record(b"something else"))
        self.expect(sample, "unreferenced", 4)

    def test_missing(self) -> None:
        sample = Sample()
        del sample.blocks[0]
        self.expect(sample, "missing", 5)

    def test_differs(self) -> None:
        self.expect(Sample(result=table({"2011": "1E+1", "2012": "11"})), "differs", 3)

    def test_not_normalised(self) -> None:
        self.expect(Sample(result=table({"2011": "10", "2012": "1E+1"})), "invalid content", 4)

    def test_out_of_order(self) -> None:
        self.expect(Sample(prices=table({"2011": "110", "2010": "100"})), "invalid content", 4)

    def test_failed(self) -> None:
        self.expect(Sample(recipe={"script": SCRIPT.replace("prices", "wages")}), "failed unknown-name", 1)

    def test_division_by_zero(self) -> None:
        self.expect(Sample(prices=table({"2010": "0", "2011": "110"})), "failed division-by-zero", 1)

    def test_not_run(self) -> None:
        self.expect(Sample(recipe={"script": "inflation <- hierarchy(prices, r);"}), "not_run engine", 1)

    def test_retracted(self) -> None:
        sample = Sample()
        sample.publish("retraction", {"subject": sample.release, "scope": "whole", "reason": "wrong"})
        self.expect(sample, "reproduced", 7)

    def test_contested(self) -> None:
        sample, other = Sample(), Sample(release={"vintage": "second"})
        sample.log.records.append(other.log.records[-1])
        self.expect(sample, "reproduced", 7)

    def test_vectors(self) -> None:
        """The vectors of bundle.md."""
        from compare import vector_words
        from test_vectors import SPECS

        path = Path(SPECS) / "vectors" / "bundle.json"
        for case in json.loads(path.read_text())["cases"] if path.exists() else []:
            with self.subTest(name=case["name"], reason=case["reason"]):
                # Steps are not counted here.
                expected = case["expect"].replace("differs steps", "reproduced")
                self.assertEqual(vector_words(bytes.fromhex(case["bytes"])), expected)


if __name__ == "__main__":
    unittest.main()
