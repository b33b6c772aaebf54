"""A publisher and its node in a temporary folder, for checks that drive them from outside."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

SAMPLE = pathlib.Path(__file__).resolve().parents[3] / "cli" / "sample"


class Publisher:
    """A data directory, and the program on it."""

    def __init__(self, assay, folder):
        self.assay, self.folder = assay, pathlib.Path(folder)
        self.env = {**os.environ, "ASSAY_DATA_DIR": str(self.folder / "data"), "XDG_CONFIG_HOME": str(folder)}

    def run(self, *words):
        """What a verb prints; what it complains of is seen."""
        done = subprocess.run([self.assay, *words], env=self.env, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def publish(self, file, *words):
        """Imports consumer prices, and publishes the inflation that follows from them."""
        self.run("import", "csv", str(file), "--dataflow", "CPI")
        self.run("publish", "inflation/cpi-annual", "--input", "CPI", "--dataflow", "inflation", *words)

    def token(self):
        return (self.folder / "data" / "token").read_text().strip()

    @contextlib.contextmanager
    def node(self):
        """Runs a node on free ports; gives its address. It ends with its input, or else by force."""
        words = ["node", "--json", "--with-parent", "--api", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"]
        node = subprocess.Popen(
            [self.assay, *words], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            events = map(json.loads, node.stdout)
            address = next((event["api"] for event in events if event.get("event") == "started"), None)
            if address is None:
                sys.exit("the node did not start")
            yield address
        finally:
            node.stdin.close()
            try:
                node.wait(30)
            except subprocess.TimeoutExpired:
                node.kill()
                node.wait()


@contextlib.contextmanager
def temporary_publisher(assay, name):
    """A publisher of this name; everything is removed at the end, come what may."""
    with tempfile.TemporaryDirectory() as folder:
        author = Publisher(assay, folder)
        author.run("init", "--name", name)
        yield author


def environments(*wanted):
    """Virtual environments in these folders, filled at the same time; gives their folders of programs."""
    programs, pips = [], []
    for folder, packages in wanted:
        venv.create(folder, with_pip=True)
        programs.append(pathlib.Path(folder) / "bin")
        pips.append(subprocess.Popen([programs[-1] / "python", "-m", "pip", "install", "-q", *packages]))
    if any([pip.wait() for pip in pips]):
        sys.exit("pip could not install what the check needs")
    return programs
