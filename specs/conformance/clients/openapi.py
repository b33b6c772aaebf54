#!/usr/bin/env python3
"""Asks a node thousands of questions made from its OpenAPI document (Schemathesis), sound ones and
others, and demands that each answer is one that the document describes, and none a fault of the node.

    python3 specs/conformance/clients/openapi.py target/debug/assay [questions of each kind, 50 where not said]

Makes a virtual environment in a temporary folder (pip asks the package registry). Ends with 1 when an
answer is not as described.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import publisher

PACKAGES = ["schemathesis==4.32.5"]
# What makes a node dial strangers, or ends only when the reader has enough.
WITHOUT = ["/api/v1/events", "/api/v1/peers"]
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
]
# Files go out as they are made.
HOOKS = """
import schemathesis


@schemathesis.serializer("application/vnd.ipld.car")
def car(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
"""


def main(assay, count):
    with publisher.temporary_publisher(assay, "Agency") as author:
        author.publish(publisher.SAMPLE / "cpi.csv")
        with author.node() as address:
            return run_schemathesis(author, address, count)


def run_schemathesis(author, address, count):
    # One worker: two of them change the limit of recursion under each other's feet (CPython 3.11).
    folder = author.folder
    [programs] = publisher.environments((folder / "venv", PACKAGES))
    document = json.loads(get(address, "/openapi.json"))
    for path in WITHOUT:
        del document["paths"][path]
    for item in document["paths"].values():
        for operation in item.values():
            acquaint(operation.get("parameters", []), known(address))
    (folder / "openapi.json").write_text(json.dumps(document))
    command = [
        programs / "schemathesis", "run", folder / "openapi.json", "--url", address,
        "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", str(count),
        "--header", f"Authorization: Bearer {author.token()}", "--seed", "1", "--workers", "1",
        "--continue-on-failure", "--warnings", "off", "--request-timeout", "60",
    ]  # fmt: skip
    (folder / "hooks.py").write_text(HOOKS)
    env = {**os.environ, "PYTHONPATH": str(folder), "SCHEMATHESIS_HOOKS": "hooks"}
    done = subprocess.run(command, cwd=folder, env=env)
    assert get(address, "/healthz") == "ok\n", "the node is not well afterwards"
    return done.returncode


def get(address, path):
    with urllib.request.urlopen(address + path, timeout=60) as answer:
        return answer.read().decode()


def known(address):
    """Values that lead somewhere on this node, by the name of the parameter."""
    flow = json.loads(get(address, "/api/v1/flows"))[0]
    dataset = json.loads(get(address, "/api/v1/datasets"))[0]
    ids = [flow["release"], flow["recipe"], flow["publisher"], dataset["id"]]
    return {
        "id": ids, "from": [flow["recipe"]], "release": [flow["release"]], "publisher": [flow["publisher"]],
        "output": [flow["output"]], "dataflow": [flow["dataflow"]], "area": ["DEU", "TUR"], "key": ["DEU", "TUR"],
        "period": [flow["first_period"], flow["last_period"]], "vintage": ["first", "latest"], "q": ["inflation", *ids],
        "file": ["DEU.csv", "all.json", "all.csv", "index.html"], "asOf": ["2026-01-31", "2999-01-01"],
    }  # fmt: skip


def acquaint(parameters, values):
    """Questions about what is there are as likely as any other."""
    for one in parameters:
        if found := values.get(one["name"]):
            one["schema"] = {"anyOf": [{"type": "string", "enum": found}, one["schema"]]}
            one.pop("example", None)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) == 3 else 50))
