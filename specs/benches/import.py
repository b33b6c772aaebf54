#!/usr/bin/env python3
"""Import of a 40 MB panel beside `polars.read_csv`, on one core, in one run.

    specs/benches/import.py [--rounds 3] [--folder target/compare] [--program PATH]

Both read the same file from disk into a table, five times in a process of its own that may use one
core (Linux), the best time counts; the processes take turns. Ours checks what polars does not:
periods, exact decimals, text, unique keys and their order. `--program` is the built benchmark
`csv` of `node/ingest`, which is built here otherwise. Needs Python 3.11 and the registry PyPI.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import compare  # noqa: E402

POLARS = """
import os, sys, time, polars
times = []
for _ in range(5):
    begin = time.perf_counter()
    polars.read_csv(sys.argv[1])
    times.append(time.perf_counter() - begin)
print(os.path.getsize(sys.argv[1]) / 1e6 / min(times))
"""


def program():
    command = ["cargo", "bench", "-p", "ingest", "--bench", "csv", "--no-run", "--message-format=json", "-q"]
    run = subprocess.run([*command, "--locked"], cwd=compare.ROOT, check=True, capture_output=True, text=True)
    made = [json.loads(line) for line in run.stdout.splitlines()]
    return next(one["executable"] for one in made if one.get("executable"))


def one_core(command, environment=None):
    """The output of a command on one core, and its peak in megabytes."""
    pinned = lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # noqa: E731
    environment = {**os.environ, **(environment or {})}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pinned, env=environment)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]} ended with {status}")
    return text, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description="Import beside polars.read_csv on one core.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=compare.ROOT / "target" / "compare")
    parser.add_argument("--program", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = compare.source(options.folder, "panel", "large")
    python, own = compare.python(options.folder, ["polars"]), options.program or program()
    found = {"assay": [], "polars": []}
    for _ in range(options.rounds):
        text, peak = one_core([own, str(path), "1"])
        found["assay"].append((float(re.search(r"(\d+) MB/s", text)[1]), peak))
        text, peak = one_core([python, "-c", POLARS, path], {"POLARS_MAX_THREADS": "1"})
        found["polars"].append((float(text), peak))
    size = path.stat().st_size / 1e6
    print(f"{size:.0f} MB of CSV on one core, medians of {options.rounds} rounds")
    for tool, rounds in found.items():
        speed, peak = (statistics.median(part) for part in zip(*rounds))
        print(f"  {tool:7} {speed:6.0f} MB/s {peak:6.0f} MB at most")
    ratio = statistics.median(a[0] / b[0] for a, b in zip(*found.values()))
    print(f"  assay is {ratio:.2f} times as fast as polars.read_csv")


if __name__ == "__main__":
    main()
