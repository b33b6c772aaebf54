#!/usr/bin/env python3
"""Drives real clients of SDMX against a node, and compares what they read with what the command line says.

    python3 specs/conformance/clients/sdmx_clients.py [--require-r] target/debug/assay

Makes virtual environments in a temporary folder (pip asks the package registry), publishes two vintages of
the sample figures of the command line, starts a node on a free port, and lets sdmx1, pysdmx, pandasdmx and, where
R has it, rsdmx list dataflows, read structures, and read data by key and period. Without rsdmx there is
a notice, or with --require-r a failure. Ends with 1 at the first difference.
"""

import csv
import io
import json
import pathlib
import shutil
import subprocess
import sys
import time

import publisher

HERE = pathlib.Path(__file__).resolve()
MODERN = ["sdmx1==2.28.0", "pysdmx[data,xml]==1.21.0", "requests"]
# pandasdmx is no longer maintained; these are the last versions that it works with.
OLD = ["pandasdmx==1.10.0", "pydantic<2", "pandas<2.2", "numpy<2"]


def same(what, got, expected):
    """Demands that two lists of observations are one, figure by figure."""
    got, expected = sorted(got), sorted(expected)
    if got != expected:
        extra = [row for row in got if row not in expected][:3]
        lacking = [row for row in expected if row not in got][:3]
        sys.exit(f"{what}: differs; too many: {extra}, lacking: {lacking}")
    print(f"ok  {what}: {len(got)} observations", flush=True)


def client_sdmx1(base, agency, truth, earlier):
    import sdmx

    sdmx.add_source({"id": agency, "url": base + "/v1", "name": "assay"})
    client = sdmx.Client(agency)

    def rows(message):
        for data in message.data:
            for obs in data.obs:
                key = obs.key
                yield str(key["REF_AREA"].value), str(key["TIME_PERIOD"].value), str(obs.value)

    assert "inflation" in client.dataflow().dataflow
    whole = client.dataflow("inflation")
    definition = whole.structure["inflation"]
    ids = [part.id for part in definition.dimensions.components]
    assert ids == ["FREQ", "REF_AREA", "TIME_PERIOD"], ids
    assert client.codelist("CL_FREQ", agency_id="SDMX").codelist
    same("sdmx1, all", rows(client.data("inflation")), truth)
    some = client.data("inflation", key="A.TUR+AUS", params={"startPeriod": "2015", "endPeriod": "2016"})
    same("sdmx1, key and periods", rows(some), wanted(truth, ["TUR", "AUS"], "2015", "2016"))
    one = client.data("inflation", key={"REF_AREA": "TUR"})
    same("sdmx1, key of names", rows(one), wanted(truth, ["TUR"]))
    strict = client.data("inflation", key={"REF_AREA": "TUR"}, dsd=definition)
    same("sdmx1, structure-specific", rows(strict), wanted(truth, ["TUR"]))
    none = client.data("inflation", key="A.TUR", params={"startPeriod": "2999"})
    same("sdmx1, nothing", rows(none), [])
    then = client.data("inflation", params={"updatedAfter": "2000-01-01T00:00:00Z"})
    same("sdmx1, all that is new", rows(then), truth)
    keys = list(client.series_keys("inflation"))
    assert len(keys) == len({area for area, _, _ in truth}), keys


def client_pysdmx(base, agency, truth, earlier):
    import requests
    from pysdmx.api.dc.rest import SdmxConnector
    from pysdmx.api.fmr import RegistryClient
    from pysdmx.io import read_sdmx

    client = SdmxConnector(base + "/v2")
    assert "inflation" in [flow.id for flow in client.dataflows()]
    urn = f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={agency}:inflation(1.0)"
    flow = client.dataflow(urn)
    assert (flow.obs_count, str(getattr(flow.agency, "id", flow.agency))) == (len(truth), agency), flow
    registry = RegistryClient(base + "/v2")
    assert [code.id for code in registry.get_codes("SDMX", "CL_FREQ", "2.1")] == ["A"]
    assert "REF_AREA" in [part.id for part in registry.get_schema("dataflow", agency, "inflation", "1.0").components]

    def rows(found):
        return [(row["REF_AREA"], str(row["TIME_PERIOD"]), row["OBS_VALUE"]) for row in found]

    some = client.data(urn, "REF_AREA='TUR' AND TIME_PERIOD>='2015'")
    same("pysdmx, SDMX-CSV 2.0 with tests", rows(some), wanted(truth, ["TUR"], "2015"))
    above = requests.get(f"{base}/v2/data/dataflow/{agency}/inflation?c[OBS_VALUE]=gt:100", timeout=60).text
    frame = read_sdmx(above, validate=False).data[0].data
    got = [tuple(row) for row in frame[["REF_AREA", "TIME_PERIOD", "OBS_VALUE"]].astype(str).values]
    same("pysdmx, figures above 100", floats(got), floats(row for row in truth if float(row[2]) > 100))
    formats = {
        "SDMX-ML generic": "application/vnd.sdmx.genericdata+xml;version=2.1",
        "SDMX-ML structure-specific": "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
        "SDMX-CSV 1.0": "application/vnd.sdmx.data+csv;version=1.0.0",
    }
    for name, accept in formats.items():
        address = f"{base}/v1/data/{agency}%2Cinflation%2C1.0/A.TUR/"
        text = requests.get(address, headers={"Accept": accept}, timeout=60).text
        # SDMX-ML is read against the schemas of the standard.
        frame = read_sdmx(text, validate="ML" in name).data[0].data
        got = [tuple(map(str, row)) for row in frame[["REF_AREA", "TIME_PERIOD", "OBS_VALUE"]].values]
        same(f"pysdmx, {name}", floats(got), floats(wanted(truth, ["TUR"])))
        if "ML" not in name:
            continue
        address = f"{base}/v1/data/{agency},inflation?includeHistory=true"
        text = requests.get(address, headers={"Accept": accept}, timeout=60).text
        sets = read_sdmx(text, validate=True).data
        assert [data.action.value for data in sets] == ["Replace", "Delete", "Replace"], sets
        for data, rows_then in zip(sets[::2], [earlier, truth]):
            got = [tuple(map(str, row)) for row in data.data[["REF_AREA", "TIME_PERIOD", "OBS_VALUE"]].values]
            same(f"pysdmx, {name}, a vintage of a history", floats(got), floats(rows_then))
        got = [tuple(map(str, row)) for row in sets[1].data[["REF_AREA", "TIME_PERIOD"]].values]
        left = {row[:2] for row in truth}
        same(f"pysdmx, {name}, what disappeared", got, [row[:2] for row in earlier if row[:2] not in left])
    whole = requests.get(f"{base}/v1/dataflow/{agency}/inflation/latest?references=all", timeout=60).text
    assert read_sdmx(whole, validate=True).structures


def client_pandasdmx(base, agency, truth, earlier):
    import pandasdmx

    pandasdmx.add_source({"id": agency, "url": base + "/v1", "name": "assay"})
    client = pandasdmx.Request(agency)
    assert "inflation" in client.dataflow().dataflow
    message = client.data("inflation", key="A.TUR", params={"startPeriod": "2015"})
    got = [
        (str(obs.key["REF_AREA"].value), str(obs.key["TIME_PERIOD"].value), str(obs.value))
        for data in message.data
        for obs in data.obs
    ]
    same("pandasdmx, key and period", got, wanted(truth, ["TUR"], "2015"))


def client_rsdmx(base, agency, truth, earlier):
    said = subprocess.run(["Rscript", str(HERE.with_suffix(".R")), base, agency], stdout=subprocess.PIPE, text=True)
    if said.returncode:
        sys.exit("rsdmx failed")
    found = {}
    for line in said.stdout.splitlines():
        check, area, time, value = line.split("\t")
        found.setdefault(check, []).append((area, time, value))
    expected = {
        "all": truth,
        "key and periods": wanted(truth, ["TUR", "AUS"], "2015", "2016"),
        "with its structure": wanted(truth, ["TUR"], "2015"),
        "nothing": [],
        "observations alone": wanted(truth, ["TUR"]),
        "structure-specific": wanted(truth, ["TUR"]),
    }
    for check, rows in expected.items():
        same(f"rsdmx, {check}", floats(found.pop(check, [])), floats(rows))
    if found:
        sys.exit(f"rsdmx: more than was asked for: {sorted(found)}")


def floats(rows):
    """A frame may hold figures as floating point: those are compared as such."""
    return [(area, time, str(float(value))) for area, time, value in rows]


def wanted(truth, areas, start="", end="9999"):
    return [row for row in truth if row[0] in areas and start <= row[1] <= end]


def has_rsdmx():
    if not shutil.which("Rscript"):
        return False
    return subprocess.run(["Rscript", "-e", "library(rsdmx)"], capture_output=True).returncode == 0


def main(assay, require_r):
    r = has_rsdmx()
    if require_r and not r:
        sys.exit("rsdmx is not here (Debian: r-cran-rsdmx), and --require-r asks for it")
    with publisher.temporary_publisher(assay, "Agency <of> & \"tests\"") as author:

        def publish(file, *words):
            author.publish(file, *words)
            said = author.run(
                "recipe", "run", "inflation/cpi-annual", "--input", f"CPI={file}", "--csv", "INFLATION"
            )
            columns = ("REF_AREA", "TIME_PERIOD", "OBS_VALUE")
            return [[row[column] for column in columns] for row in csv.DictReader(io.StringIO(said))]

        earlier = publish(publisher.SAMPLE / "cpi.csv")
        # A vintage is of a second: two of one second would be one.
        time.sleep(1.1)
        truth = publish(revised(author.folder), "--reason", "source-revision")
        folders = [(author.folder / "modern", MODERN), (author.folder / "old", OLD)]
        modern, old = (programs / "python" for programs in publisher.environments(*folders))
        clients = [(modern, "sdmx1"), (modern, "pysdmx"), (old, "pandasdmx")]
        clients += [(pathlib.Path(sys.executable), "rsdmx")] if r else []
        with author.node() as address:
            for python, name in clients:
                order = {"client": name, "base": address + "/sdmx", "truth": truth, "earlier": earlier}
                words = [python, HERE, "--client"]
                if subprocess.run(words, input=json.dumps(order), text=True).returncode:
                    sys.exit(f"{name} failed")
    if not r:
        print("notice: R with rsdmx is not here, so that client was not run")


def revised(folder):
    """The sample with one observation less and one that is another."""
    lines = (publisher.SAMPLE / "cpi.csv").read_text().splitlines()
    lines = [line for line in lines if not line.startswith("AUS,2013,")]
    lines = ["TUR,2018,999.5" if line.startswith("TUR,2018,") else line for line in lines]
    file = folder / "revised.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def client():
    order = json.load(sys.stdin)
    import urllib.request

    listed = urllib.request.urlopen(order["base"] + "/v2/structure/agencyscheme", timeout=60)
    agency = json.load(listed)["data"]["agencySchemes"][0]["agencies"][0]["id"]
    truth, earlier = ([tuple(row) for row in order[name]] for name in ("truth", "earlier"))
    globals()["client_" + order["client"]](order["base"], agency, truth, earlier)


if __name__ == "__main__":
    if sys.argv[1:] == ["--client"]:
        client()
    else:
        words = [word for word in sys.argv[1:] if word != "--require-r"]
        if len(words) != 1 or words[0].startswith("-"):
            sys.exit(__doc__)
        main(str(pathlib.Path(words[0]).resolve()), "--require-r" in sys.argv)
