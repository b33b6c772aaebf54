#!/usr/bin/env python3
"""Whole commands against peers: CSV on disk to CSV on disk, in one run on the machine at hand.

    specs/benches/compare/compare.py [--rows small|large|both] [--without TOOL]... [--runs 3]
                                     [--assay PATH] [--folder target/compare]

Makes its own virtual environment with the peers from PyPI, writes the inputs, builds `assay`,
runs each tool in processes of its own, checks that all give the same figures, and prints medians
and ratios. Only ratios mean anything, and only within one run. Nothing here is asserted by a test.

For `assay` the whole process counts. For the peers, time counts from after their imports.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PEERS = ["polars", "duckdb", "vtlengine"]
WORKLOADS = {"inflation": "panel", "basket": "basket", "annual": "panel"}
# Binary floats against exact decimals: a rounded figure may fall to the other side of a tie.
TOLERANCE = 1e-9
TIES_MAX = 1e-3


def arguments():
    parser = argparse.ArgumentParser(description="Whole commands against peers.")
    parser.add_argument("--rows", choices=["small", "large", "both"], default="small")
    parser.add_argument("--without", action="append", default=[], choices=PEERS, metavar="TOOL")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--assay", type=Path, help="a built program; built here when not given")
    parser.add_argument("--folder", type=Path, default=ROOT / "target" / "compare")
    return parser.parse_args()


def python(folder, peers):
    """The interpreter of an environment that has the peers."""
    place = folder / "venv"
    binary = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not binary.exists():
        venv.create(place, with_pip=True)
    if peers:
        subprocess.run([binary, "-m", "pip", "install", "-q", *peers], check=True)
    return binary


def build():
    subprocess.run(["cargo", "build", "--release", "-q", "-p", "cli", "--locked"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "assay"


def source(folder, kind, rows):
    path = folder / f"{kind}-{rows}.csv"
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run([sys.executable, HERE / "generate.py", kind, rows, part], check=True)
        part.rename(path)
    return path


def once(command, output):
    """Wall seconds, CPU seconds and peak megabytes of a command."""
    launcher = [sys.executable, HERE / "launch.py", output, *command]
    run = subprocess.run(launcher, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"`{' '.join(map(str, command))}` ended with {run.returncode}:\n{run.stderr}")
    return [float(part) for part in run.stdout.split()]


def measure(tool, binary, workload, path, figures):
    """One run of a tool: wall seconds, CPU seconds, peak megabytes."""
    if tool == "assay":
        command = [binary, "recipe", "run", HERE / f"{workload}.toml", "--input", f"D={path}"]
        return once([*command, "--csv", "R"], figures)
    said = figures.with_suffix(".said")
    _, _, peak = once([binary, HERE / "peers.py", tool, workload, path, figures], said)
    return [*map(float, said.read_text().split()), peak]


def figures(path):
    with open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        # vtlengine spells a month `1960M1`.
        spell = lambda time: f"{time[:4]}-M{int(time[5:]):02}" if time[4:5] == "M" else time
        return {(row[0], spell(row[1])): float(row[2]) for row in rows}


def differ(ours, theirs):
    """Figures that are not the same: all of them, and those that are no tie of a rounding."""
    if ours.keys() != theirs.keys():
        return len(ours.keys() ^ theirs.keys()), len(ours)
    off = [abs(value - theirs[key]) / max(1, abs(value)) for key, value in ours.items()]
    return sum(gap > TOLERANCE for gap in off), len(ours)


def compare(workload, rows, tools, folder, runs):
    path = source(folder, WORKLOADS[workload], rows)
    answers = {tool: folder / f"{workload}-{tool}.csv" for tool in tools}
    found = {tool: [] for tool in tools}
    # In turns, so that what else the machine does falls on all of them.
    for _ in range(runs):
        for tool, binary in tools.items():
            found[tool].append(measure(tool, binary, workload, path, answers[tool]))
    measured = {tool: [statistics.median(part) for part in zip(*runs)] for tool, runs in found.items()}
    ours = figures(answers["assay"])
    print(f"\n{workload}, {rows}: {len(ours):,} figures")
    print(f"  {'':10} {'wall s':>8} {'CPU s':>8} {'MB':>6}   {'wall':>6} {'CPU':>6} {'memory':>6}   differ")
    for tool, values in measured.items():
        ratios = [theirs / our for theirs, our in zip(values, measured["assay"])]
        off, count = differ(ours, figures(answers[tool]))
        line = f"  {tool:10} {values[0]:8.3f} {values[1]:8.3f} {values[2]:6.0f}   "
        print(line + " ".join(f"{ratio:5.2f}x" for ratio in ratios) + f"   {off}", flush=True)
        if off > count * TIES_MAX:
            sys.exit(f"{tool} gives other figures: {off} of {count}")


def main():
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    peers = [peer for peer in PEERS if peer not in options.without]
    tools = {"assay": options.assay or build()}
    interpreter = python(options.folder, peers)
    tools |= {peer: interpreter for peer in peers}
    print("medians of", options.runs, "runs; a ratio above 1 says how many times as much as assay")
    for rows in ["small", "large"] if options.rows == "both" else [options.rows]:
        for workload in WORKLOADS:
            compare(workload, rows, tools, options.folder, options.runs)


if __name__ == "__main__":
    main()
