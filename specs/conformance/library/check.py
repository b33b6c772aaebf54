#!/usr/bin/env python3
"""Every recipe of the library against two others: an oracle on Python's decimals, and vtlengine.

    specs/conformance/library/check.py [--data FOLDER] [--assay PATH] [--only TEXT] [--without-peer]
                                  [--duckdb] [--folder target/library-check]

Each recipe runs on inputs made from a fixed seed (`inputs.py`) and, with `--data`, on files of the
offices, in two forms. *Published*: as it is; blank figures are left out by the import, as always. *All
digits*: without its roundings, so that all 34 digits are seen, and with every blank figure as a null,
which an OBS_STATUS beside it keeps. What `assay recipe run` gives must be what `oracle.py` gives, digit
for digit, and what vtlengine gives to 1e-9 (of the figure, or of one for smaller figures). Where
vtlengine cannot run a recipe, `PEER` says why, and which part of the recipe it runs instead. Ends with
1 when anything differs.

vtlengine comes from PyPI into an environment in the folder; no test needs it.
"""
import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import inputs
import oracle

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LIBRARY = ROOT / "node" / "recipes"
TOLERANCE = 1e-9

# What vtlengine is given in place of the recipe, and why; a reason without replacements: nothing.
EWMA = "without `ewma`, which VTL does not have"
PEER = {
    # What is no step at all is a tiny one in binary floats.
    "indicators/catapult": (EWMA + "; steps below 1e-9 left out", [
        ("  ewma(\n    series", "  series"),
        (",\n    alpha\n  )[filter GAIN + LOSS > 0]", "[filter GAIN + LOSS > 0.000000001]")]),
    "indicators/moving-average": (EWMA, [("ewma(KNOWN, ALPHA)", "KNOWN")]),
    "indicators/rsi": (EWMA, [("ewma(MOVES, ALPHA)", "MOVES")]),
    "inflation/chain-linked": ("without `chain_product`, which VTL does not have; one data set under another name, "
                               "for in a join vtlengine 1.9.6 takes it for the component of that name", [
        ("chain_product(FACTOR)", "FACTOR"), ("SHARE := WEIGHT", "PORTION := WEIGHT"), ("SHARE as S", "PORTION as S")]),
}


def arguments():
    parser = argparse.ArgumentParser(description="Every recipe against an oracle and vtlengine.")
    parser.add_argument("--data", type=Path, help="a folder of real files")
    parser.add_argument("--assay", type=Path, help="a built program; built here when not given")
    parser.add_argument("--only", default="", help="recipes whose name has this text")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--duckdb", action="store_true", help="vtlengine with its DuckDB back end")
    parser.add_argument("--folder", type=Path, default=ROOT / "target" / "library-check")
    return parser.parse_args()


def build():
    subprocess.run(["cargo", "build", "-q", "-p", "cli", "--locked"], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "assay"


def environment(folder):
    """The interpreter of an environment that has vtlengine."""
    place = folder / "venv"
    binary = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not binary.exists():
        venv.create(place, with_pip=True)
    subprocess.run([binary, "-m", "pip", "install", "-q", "vtlengine"], check=True)
    return binary


def unrounded(script):
    """The script with `round(x, n)` as `(x)`."""
    while (at := script.find("round(")) >= 0:
        depth, end, comma = 1, at + 6, None
        while depth:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(script[end], 0)
            comma = end if script[end] == "," and depth == 1 else comma
            end += 1
        script = f"{script[:at]}({script[at + 6:comma]}){script[end:]}"
    return script


class Run:
    """A recipe on one set of inputs, in one form of its script."""

    def __init__(self, name, source, form, rows, folder):
        self.name, self.source, self.form = name, source, form
        self.toml = tomllib.loads((LIBRARY / f"{name}.toml").read_text())
        script = (LIBRARY / f"{name}.vtl").read_text()
        self.whole = form != "published"
        self.script = unrounded(script) if self.whole else script
        if self.whole:
            self.script = "".join(f"{name} := {name}_FILE[drop OBS_STATUS];\n" for name in rows) + self.script
        self.folder = folder / name.replace("/", "-") / source / form
        shutil.rmtree(self.folder, ignore_errors=True)
        blank = lambda name, row: not any(row[self.keys(name):])
        if not self.whole:
            rows = {name: [row for row in data if not blank(name, row)] for name, data in rows.items()}
        self.rows, self.files = rows, {}
        for part in ("assay", "part", "peer"):
            (self.folder / part).mkdir(parents=True)
        for name, data in rows.items():
            if self.whole:
                data = [[*row, "M" if blank(name, row) else "A"] for row in data]
            file = f"{name}_FILE" if self.whole else name
            self.files[file] = self.folder / f"{file}.csv"
            with open(self.files[file], "w", newline="") as target:
                csv.writer(target).writerows([[part[0] for part in self.components(file)], *data])

    def components(self, name):
        """Name, role and type of each column of an input, or of its file."""
        one = self.toml["inputs"][name.removesuffix("_FILE")]
        for role, key in [("Identifier", "identifiers"), ("Measure", "measures")]:
            for text in one.get(key, []):
                component, _, kind = text.partition(":")
                yield component, role, kind or "string"
        if name.endswith("_FILE"):
            yield "OBS_STATUS", "Attribute", "string"

    def keys(self, name):
        return len(self.toml["inputs"][name]["identifiers"])

    def data(self):
        """The inputs as the oracle takes them."""
        made = {}
        for name, rows in self.rows.items():
            parts, keys = list(self.components(name)), self.keys(name)
            cell = lambda text: Decimal(text) if text else None
            if len(parts) - keys == 1:
                made[name] = {tuple(row[:keys]): cell(row[keys]) for row in rows}
            else:
                names = [part[0] for part in parts[keys:]]
                made[name] = {tuple(row[:keys]): dict(zip(names, map(cell, row[keys:]))) for row in rows}
        return made

    def assay(self, program, script, outputs, place):
        """What `assay recipe run` gives."""
        folder = self.folder / place
        (folder / "recipe.vtl").write_text(script)
        (folder / "recipe.toml").write_text(written(self, outputs))
        command = [program, "recipe", "run", folder / "recipe.toml"]
        for name, file in self.files.items():
            command += ["--input", f"{name}={file}"]
        found = {}
        for output in outputs:
            run = subprocess.run([*command, "--csv", output], capture_output=True, text=True)
            if run.returncode:
                return f"assay: {run.stderr.strip()}"
            (folder / f"{output}.csv").write_text(run.stdout)
            found[output] = table(folder / f"{output}.csv")
        return found

    def job(self, script, duckdb):
        sources = {name: {"components": list(self.components(name)), "file": str(file)}
                   for name, file in self.files.items()}
        return {"script": script, "inputs": sources, "folder": str(self.folder / "peer"), "duckdb": duckdb}

    def peer(self, outputs):
        """What vtlengine gave."""
        fault = self.folder / "peer" / "fault.txt"
        if fault.exists():
            return fault.read_text()
        return {output: table(self.folder / "peer" / f"{output}.csv") for output in outputs}


def written(run, outputs):
    """The file of a recipe with these outputs; what only readers need is left out."""
    text = 'title = "A check"\nindicator = "check"\nlicence = "CC0-1.0"\ndescription = "A check."\n'
    for name in run.files:
        text += f'[inputs.{name}]\ntitle = "{name}"\n'
        for role in ("Identifier", "Measure", "Attribute"):
            parts = [f"{part}:{kind}" for part, found, kind in run.components(name) if found == role]
            text += f"{role.lower()}s = {json.dumps(parts)}\n" if parts else ""
    return text + "".join(f'[outputs.{name}]\ntitle = "{name}"\nunit = "1"\n' for name in outputs)


def table(path):
    """A CSV as figures by key; a column of figures is one that the oracle does not have in its keys."""
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    keys = [at for at, name in enumerate(head) if name in ("REF_AREA", "ITEM", "TIME_PERIOD")]
    rest = [at for at in range(len(head)) if at not in keys]
    keys.sort(key=lambda at: ("REF_AREA", "ITEM", "TIME_PERIOD").index(head[at]))
    return {tuple(spelled(row[at]) for at in keys): {head[at]: row[at] for at in rest} for row in rows}


def spelled(text):
    """A year as `2020`, a month as `2020-M01`, a day as a date: vtlengine has other spellings."""
    if text[4:6] == "-D":
        return str(date(int(text[:4]), 1, 1) + timedelta(int(text[6:]) - 1))
    return text[:4] if text[4:] == "-A1" else text


def value(text):
    """A cell: a decimal, 0 or 1 for what is false or true, or none."""
    return {"": None, "true": Decimal(1), "false": Decimal(0), "True": Decimal(1),
            "False": Decimal(0)}.get(text) if text in ("", "true", "false", "True", "False") else Decimal(text)


def plain(cell):
    return None if cell is None else Decimal(cell)


def differences(ours, theirs, same):
    """How many cells all outputs have, and those that differ: output, key, name, ours, theirs."""
    cells, found = 0, []
    for output in theirs:
        left, right = ours[output], theirs[output]
        for key in sorted(left.keys() ^ right.keys()):
            found.append((output, key, "data point", *(("here", None) if key in left else (None, "there"))))
        for key in left.keys() & right.keys():
            if left[key].keys() != right[key].keys():
                found.append((output, key, "columns", str(sorted(left[key])), str(sorted(right[key]))))
                break
            for name, cell in left[key].items():
                cells += 1
                if not same(value(cell), right[key][name]):
                    found.append((output, key, name, cell, right[key][name]))
    return cells, found


def shown(gap):
    return [f"{output} {', '.join(key)} {name}: {ours} here, {theirs} there" for output, key, name, ours, theirs
            in gap[:3]]


def near(ours, theirs):
    theirs = value(theirs)
    if ours is None or theirs is None:
        return ours is theirs
    return abs(float(ours) - float(theirs)) <= TOLERANCE * max(1, abs(float(ours)))


def exactly(ours, theirs):
    return ours == plain(theirs)


def computed(run, rounds):
    oracle.ROUNDS = rounds
    return oracle.ORACLE[run.name](**run.data())


def ties(run, gap):
    """Of the cells that differ, those of which the figure before its rounding is a tie, which a binary
    float cannot tell: it lies in the middle of the two."""
    whole, found = computed(run, False), []
    for output, key, name, ours, theirs in gap:
        figure = whole.get(output, {}).get(key, {}).get(name) if None not in (ours, theirs) else None
        if isinstance(figure, Decimal):
            middle = (Decimal(ours) + Decimal(theirs)) / 2
            if abs(figure - middle) <= Decimal("1e-9") * max(1, abs(figure)):
                found.append((output, key, name, ours, theirs))
    return found


def for_peer(run, outputs):
    """The script and the outputs that vtlengine runs, and the reason when they are not those of the recipe."""
    reason, replacements = PEER.get(run.name, ("", []))
    if reason and not replacements:
        return None, [], reason
    script = run.script
    for old, new in replacements:
        if old not in script:
            sys.exit(f"{run.name}: the recipe does not say `{old}` any more")
        script = script.replace(old, new)
    return script, [line.split(" <- ")[0] for line in script.splitlines() if " <- " in line], reason


def main():
    options = arguments()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    program = options.assay or build()
    interpreter = None if options.without_peer else environment(options.folder)
    names = sorted(str(path.relative_to(LIBRARY))[:-4] for path in LIBRARY.glob("*/*.vtl"))
    sources = {"made": inputs.made()}
    if options.data:
        sources["real"] = inputs.real(options.data)
    runs, jobs, lines, failed = [], [], [], False
    for name in names:
        if name not in oracle.ORACLE or name not in sources["made"]:
            sys.exit(f"`{name}` has no oracle or no inputs")
        for source, rows in sources.items():
            if name in rows and options.only in name:
                runs += [Run(name, source, form, rows[name], options.folder)
                         for form in ("published", "all digits")]
    for run in runs:
        outputs = list(run.toml["outputs"])
        run.found = run.assay(program, run.script, outputs, "assay")
        script, run.outputs, run.reason = for_peer(run, outputs)
        if script and interpreter:
            run.shared = run.found if script == run.script else run.assay(program, script, run.outputs, "part")
            jobs.append(run.job(script, options.duckdb))
    if interpreter:
        (options.folder / "jobs.json").write_text(json.dumps(jobs))
        subprocess.run([interpreter, HERE / "peer.py", options.folder / "jobs.json"], check=True)
    print(f"{'recipe':38} {'data':5} {'form':10} {'cells':>7} {'oracle':9} {'cells':>6} vtlengine")
    for run in runs:
        failed |= report(run, interpreter)
    print(f"{len({run.name for run in runs})} recipes, {len(runs)} runs: {'something differs' if failed else 'all agree'}")
    sys.exit(failed)


def report(run, interpreter):
    """A line of the table; whether something differs."""
    head = f"{run.name:38} {run.source:5} {run.form:10}"
    if isinstance(run.found, str):
        print(f"{head} {run.found}")
        return True
    cells, off = differences(run.found, computed(run, run.form == "published"), exactly)
    line = f"{head} {cells:7} {f'{len(off)} differ' if off else 'exact':9}"
    notes, failed = shown(off), bool(off)
    if interpreter and run.outputs:
        said, more = peer(run)
        line, notes, failed = line + said, notes + more, failed or bool(more)
    if interpreter and run.reason:
        line += f"; {run.reason}"
    print(line, *notes, sep="\n    ", flush=True)
    return failed


def peer(run):
    """What is to be said of vtlengine, and what is wrong."""
    theirs = run.peer(run.outputs)
    for answer in (theirs, run.shared):
        if isinstance(answer, str):
            return "       fails", [answer]
    cells, gap = differences(run.shared, theirs, near)
    # A part of a recipe has figures that the oracle does not have.
    tied = ties(run, gap) if gap and not run.reason else []
    gap = [cell for cell in gap if cell not in tied]
    said = f"{cells:7} {f'{len(gap)} differ' if gap else 'agree'}"
    return said + (f", but for {len(tied)} at a tie of the rounding" if tied else ""), shown(gap)


if __name__ == "__main__":
    main()
