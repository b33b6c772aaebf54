"""Runs recipes on vtlengine: `peer.py JOBS`, in an environment that has it.

JOBS is JSON: a list of jobs, each with the script, the inputs (components and file) and a folder for the
CSV of each output; a fault is written to `fault.txt` there.
"""
import json
import sys
from importlib.metadata import version
from pathlib import Path

import vtlengine

TYPES = {"string": "String", "number": "Number", "integer": "Integer", "time_period": "Time_Period"}


def structure(name, components):
    return {"name": name, "DataStructure": [
        {"name": component, "role": role, "type": TYPES[kind], "nullable": role != "Identifier"}
        for component, role, kind in components]}


def run(job):
    inputs = job["inputs"].items()
    found = vtlengine.run(
        script=job["script"],
        data_structures={"datasets": [structure(name, one["components"]) for name, one in inputs]},
        datapoints={name: Path(one["file"]) for name, one in inputs},
        time_period_output_format="sdmx_reporting",
        return_only_persistent=True,
        use_duckdb=job["duckdb"],
    )
    for name, data in found.items():
        data.data.to_csv(Path(job["folder"]) / f"{name}.csv", index=False)


print(f"vtlengine {version('vtlengine')}")
for job in json.loads(Path(sys.argv[1]).read_text()):
    try:
        run(job)
    except Exception as fault:  # whatever it is, it is what is reported
        (Path(job["folder"]) / "fault.txt").write_text(" ".join(str(fault).split()) or repr(fault))
