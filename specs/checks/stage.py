"""A node with the sample figures, for checks that drive it from outside."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import venv

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "cli" / "sample"


@contextlib.contextmanager
def node(assay, name):
    """Publishes the sample as `name` and starts a node; gives its address, its token, and a way to run
    the program on its data. The node ends and everything is removed at the end, come what may."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        env = {**os.environ, "ASSAY_DATA_DIR": str(folder / "data"), "XDG_CONFIG_HOME": str(folder)}

        def run(*words):
            return subprocess.run([assay, *words], env=env, check=True, capture_output=True, text=True).stdout

        run("init", "--name", name)
        run("import", "csv", str(SAMPLE / "cpi.csv"), "--dataflow", "CPI")
        run("publish", "inflation/cpi-annual", "--input", "CPI", "--dataflow", "inflation")
        start = [assay, "node", "--json", "--with-parent", "--api", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"]
        process = subprocess.Popen(start, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            address = next(event["api"] for event in map(json.loads, process.stdout) if event.get("event") == "started")
            yield address, (folder / "data" / "token").read_text().strip(), run
        finally:
            process.stdin.close()
            process.wait(30)


def environment(folder, packages):
    """A virtual environment with packages of the registry; gives its folder of programs."""
    venv.create(folder, with_pip=True)
    python = pathlib.Path(folder) / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python.parent
