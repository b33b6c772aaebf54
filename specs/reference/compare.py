"""Compares the answers of this verifier with those of `assay verify` on every bundle of a folder.

python3 compare.py PROGRAM FOLDER

Both must give the same: the code of the refusal, or for each root the verdict with its code or table and the
standing; and the exit code. What one of them does not run (`not_run`) is counted apart and named. Ends with 1
when an answer differs.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from verify import verify_bytes

STANDINGS = ("retracted", "retracted_in_part", "superseded", "contested", "above")


def verdict_words(verdict: dict[str, Any]) -> str:
    """The verdict with what decides it: its code, or the table of the first difference."""
    [(word, body)] = verdict.items()
    if word == "differs":
        table = body["first"]["table"]
        return f"{word} {table if isinstance(table, str) else next(iter(table))} {body['count']}"
    if word == "reproduced":
        return f"{word} {body['cells']} {body['read']}"
    return " ".join([word, *([body["code"]] if "code" in body else [])])


def own_standing(root: dict[str, Any]) -> list[str]:
    above = any(any(item["standing"].values()) for item in root.get("above", []))
    return [word for word in STANDINGS if root["standing"].get(word) or (word == "above" and above)]


def own_answer(data: bytes) -> tuple[list[str], int]:
    answer, code = verify_bytes(data)
    if "error" in answer:
        return [f"refused {answer['error']['code']}"], code
    return [" ".join([verdict_words(root["verdict"]), *own_standing(root)]) for root in answer["roots"]], code


def vector_words(data: bytes) -> str:
    """The answer as `vectors/bundle.json` writes it: without counts."""
    words = own_answer(data)[0][0].replace("retracted_in_part", "retracted-in-part").split()
    return " ".join(word for word in words if not word.isdigit())


def program_standing(root: dict[str, Any]) -> list[str]:
    standing = root["standing"]
    found = {
        "retracted": "retracted" in standing,
        "retracted_in_part": "retracted_points" in standing,
        "superseded": "superseded" in standing,
        "contested": "forked_at" in standing,
        "above": bool(root["above"]),
    }
    return [word for word in STANDINGS if found[word]]


def program_answer(program: str, file: Path) -> tuple[list[str], int]:
    done = subprocess.run([program, "--json", "verify", str(file)], capture_output=True, text=True, timeout=120)
    answer = json.loads(done.stdout or done.stderr)
    if "error" in answer:
        return [f"refused {answer['error']['code']}"], done.returncode
    roots = [
        " ".join([verdict_words(root["verdict"] or {"complete": {}}), *program_standing(root)])
        for root in answer["verified"]
    ]
    return roots, done.returncode


def main(program: str, folder: Path) -> int:
    agree, not_run, differ = 0, Counter[str](), []
    for file in sorted(folder.glob("*.car")):
        own, theirs = own_answer(file.read_bytes()), program_answer(program, file)
        if own == theirs:
            agree += 1
        elif any(words.startswith("not_run") for words in own[0]):
            not_run[own[0][0]] += 1
        elif theirs[0][0].startswith(("differs steps", "failed budget")) and own[0][0].startswith("reproduced"):
            # Steps and cells are charged as vtl.md says; this verifier does not count them.
            not_run["steps"] += 1
        else:
            differ.append((file.name, own, theirs))
    for name, own, theirs in differ:
        print(f"{name}: {own[0]} (exit {own[1]}) here, {theirs[0]} (exit {theirs[1]}) by the program")
    total = agree + sum(not_run.values()) + len(differ)
    print(f"{agree} of {total} answers agree, {len(differ)} differ, {sum(not_run.values())} not run here: {dict(not_run)}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
