"""The vectors of the specifications: `python3 -m unittest`. ASSAY_SPECS selects another folder of them."""

import json
import os
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay import car, cbor, chunks, decimals, ed25519, entries, ids, objects, periods, tables
from assay.errors import Refused

SPECS = Path(os.environ.get("ASSAY_SPECS", Path(__file__).parent.parent))
# The objects of older vectors may break several rules of shape at once; one code is enough.
SHAPE_CODES = {"shape", "rule", "canonical", "syntax", "digits", "exponent", "key-weak", "key-encoding"}


def cases(subject: str) -> list[dict[str, Any]]:
    return json.loads((SPECS / "vectors" / f"{subject}.json").read_text())["cases"]


def input_bytes(case: dict[str, Any]) -> bytes:
    data = bytes.fromhex(case.get("bytes", ""))
    repeat = case.get("repeat")
    if repeat:
        data += bytes.fromhex(repeat["unit"]) * repeat["count"] + bytes.fromhex(repeat["tail"])
    return data


def outcome(check: Callable[[], Any]) -> str:
    try:
        check()
    except Refused as error:
        return error.code
    return "ok"


class Vectors(unittest.TestCase):
    def run_cases(self, subject: str, check: Callable[[dict[str, Any]], Any], same: Callable[[str], str] = str) -> None:
        for case in cases(subject):
            with self.subTest(subject=subject, name=case["name"], reason=case["reason"]):
                self.assertEqual(same(outcome(lambda: check(case))), same(case["expect"]))

    def check_id(self, case: dict[str, Any], block_id: ids.Id) -> None:
        if "id" in case:
            self.assertEqual(str(block_id), case["id"])

    def test_cbor(self) -> None:
        def check(case: dict[str, Any]) -> None:
            data = input_bytes(case)
            value = cbor.decode(data)
            self.assertEqual(cbor.encode(value), data)

        self.run_cases("cbor", check)

    def test_id(self) -> None:
        def check(case: dict[str, Any]) -> None:
            parsed = ids.parse_id_text(case["text"])
            self.assertEqual(parsed.data, input_bytes(case))

        self.run_cases("id", check)

    def test_key(self) -> None:
        self.run_cases("key", lambda case: ed25519.decompress(input_bytes(case)))

    def test_signature(self) -> None:
        def check(case: dict[str, Any]) -> None:
            ed25519.verify(bytes.fromhex(case["key"]), bytes.fromhex(case["message"]), input_bytes(case))

        self.run_cases("signature", check)

    def test_period(self) -> None:
        def check(case: dict[str, Any]) -> None:
            self.assertEqual(str(periods.read_period(case["text"])), case["value"])

        self.run_cases("period", check)

    def test_decimal(self) -> None:
        def check(case: dict[str, Any]) -> None:
            self.assertEqual(str(list(decimals.parts(decimals.parse_number(case["text"])))), case["value"])

        self.run_cases("decimal", check)

    def test_object(self) -> None:
        def check(case: dict[str, Any]) -> None:
            data = input_bytes(case)
            value = objects.decode_object(data)
            self.assertEqual(cbor.encode(value), data)
            self.check_id(case, ids.id_of(ids.DAG_CBOR, data))

        self.run_cases("object", check, lambda code: "shape" if code in SHAPE_CODES else code)

    def test_chunk(self) -> None:
        def check(case: dict[str, Any]) -> None:
            data = input_bytes(case)
            chunks.decode_columns(objects.decode_object(data))
            self.check_id(case, ids.id_of(ids.DAG_CBOR, data))

        self.run_cases("chunk", check, lambda code: "shape" if code in SHAPE_CODES else code)

    def test_content(self) -> None:
        def check(case: dict[str, Any]) -> None:
            blocks = [bytes.fromhex(block) for block in case["blocks"]]
            stored = {str(ids.id_of(ids.DAG_CBOR, block)): objects.decode_object(block) for block in blocks}

            def lookup(block_id: Any) -> objects.Object:
                if str(block_id) not in stored:
                    raise Refused("missing", "a block is missing")
                return stored[str(block_id)]

            table = tables.read_content(lookup(case["id"]), lookup)
            self.check_id(case, tables.content_id(table))

        self.run_cases("content", check)

    def test_entry(self) -> None:
        def check(case: dict[str, Any]) -> None:
            self.check_id(case, entries.decode_entry(input_bytes(case)).id)

        self.run_cases("entry", check)

    def test_chain(self) -> None:
        def check(case: dict[str, Any]) -> None:
            entries.check_log([entries.decode_entry(bytes.fromhex(entry)) for entry in case["entries"]])

        self.run_cases("chain", check)

    def test_car(self) -> None:
        def check(case: dict[str, Any]) -> None:
            read = car.read_framing(input_bytes(case))
            car.check_hashes(read)

        self.run_cases("car", check)


if __name__ == "__main__":
    unittest.main()
