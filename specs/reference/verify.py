"""Verifies bundles: `python3 verify.py FILE.car [--json]`. Exit codes: bundle.md, section 5."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from assay.bundle import Bundle, open_bundle
from assay.errors import BundleError
from assay.standing import standing, standings_above
from assay.verifier import Verifier

EXIT_CODES = {"reproduced": 0, "complete": 0, "failed": 1, "not_run": 1, "differs": 3, "invalid": 4, "missing": 5}
SEVERITY = (4, 3, 5, 1, 7, 0)


def verify_bundle(bundle: Bundle) -> list[dict[str, Any]]:
    verifier = Verifier(bundle)
    roots = []
    for root in bundle.roots:
        entry = bundle.entries[root]
        roots.append(
            {
                "entry": str(entry.id),
                "object": str(entry.object_id),
                "type": entry.object_type,
                "verdict": verifier.verify(entry),
                "standing": standing(bundle, entry),
                "above": standings_above(bundle, entry.object_id),
            }
        )
    return roots


def verify_bytes(data: bytes) -> tuple[dict[str, Any], int]:
    """The answer and the exit code."""
    try:
        roots = verify_bundle(open_bundle(data))
    except BundleError as error:
        answer = {"error": {"code": error.code, "message": error.message}}
        return answer, 2 if error.code == "framing" else 4
    codes = [exit_code(root) for root in roots]
    return {"roots": roots}, min(codes, key=SEVERITY.index, default=0)


def exit_code(root: dict[str, Any]) -> int:
    code = EXIT_CODES[next(iter(root["verdict"]))]
    standings = [root["standing"], *(item["standing"] for item in root.get("above", []))]
    if code == 0 and any(any(standing.values()) for standing in standings):
        return 7
    return code


def print_answer(answer: dict[str, Any]) -> None:
    if "error" in answer:
        print(f"error {answer['error']['code']}: {answer['error']['message']}")
    for root in answer.get("roots", []):
        ((variant, fields),) = root["verdict"].items()
        marks = [name for name, applies in root["standing"].items() if applies]
        print(f"{root['type']} {root['object']}: {variant} {json.dumps(fields)} {' '.join(marks)}".rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify a bundle from the specifications alone.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    answer, code = verify_bytes(data)
    if arguments.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print_answer(answer)
    return code


if __name__ == "__main__":
    sys.exit(main())
