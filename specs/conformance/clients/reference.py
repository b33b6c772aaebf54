#!/usr/bin/env python3
"""Compares `assay verify` with the verifier in specs/reference, which was written from specs/ alone: on bundles of
the sample, true and mutated, the vectors of bundles included.

    python3 specs/conformance/clients/reference.py target/debug/assay [mutants of each bundle, 250 where not said]

Makes a virtual environment in a temporary folder (pip asks the package registry for blake3). Ends with 1 when two
answers differ.
"""

import json
import pathlib
import subprocess
import sys

import publisher

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "reference"
VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors" / "bundle.json"
PREFIX = "assay-ed25519-seed-1:"


def main(assay, count):
    with publisher.temporary_publisher(assay, "Example Statistics Office") as author:
        [programs] = publisher.environments((author.folder / "venv", ["-r", str(REFERENCE / "requirements.txt")]))
        python = programs / "python"
        subprocess.run([python, "-m", "unittest", "-q", "test_vectors", "test_bundle"], cwd=REFERENCE, check=True)
        bundles = make_bundles(author)
        write_vectors(author.folder / "mutants")
        keys = [word for key in read_keys(author.folder / "data" / "keys") for word in ("--key", key)]
        for at, bundle in enumerate(bundles):
            folder = author.folder / "mutants" / str(at)
            command = [python, "mutate.py", bundle, folder, "--count", str(count), "--seed", str(at + 1), *keys]
            subprocess.run(command, cwd=REFERENCE, check=True)
        codes = []
        for folder in sorted((author.folder / "mutants").iterdir()):
            command = [python, "compare.py", pathlib.Path(assay).resolve(), folder]
            codes.append(subprocess.run(command, cwd=REFERENCE).returncode)
        return max(codes)


def make_bundles(author):
    """A release, a release that supersedes it, and a retracted one."""
    author.publish(publisher.SAMPLE / "cpi.csv")
    first = json.loads(author.run("--json", "show"))["releases"][0]["id"]
    author.run("retract", first, "--reason", "A row was read twice.")
    dataset = json.loads(author.run("--json", "show"))["datasets"][0]["id"]
    files = []
    for name, target in (("release", first), ("dataset", dataset)):
        files.append(author.folder / f"{name}.car")
        author.run("export", target, "-o", str(files[-1]))
    return files


def read_keys(folder):
    for name in ("root", "operating"):
        yield (folder / name).read_text().strip().removeprefix(PREFIX)


def write_vectors(folder):
    target = folder / "vectors"
    target.mkdir(parents=True)
    for at, case in enumerate(json.loads(VECTORS.read_text())["cases"]):
        (target / f"{at:02}.car").write_bytes(bytes.fromhex(case["bytes"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 250))
