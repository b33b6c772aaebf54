"""The workloads in the words of each peer: `peers.py TOOL WORKLOAD INPUT OUTPUT`.

Prints wall and CPU seconds from after the imports to the written file, so that the start of
Python is not held against a peer. Each uses the threads that it likes.
"""

import sys
import time
from pathlib import Path

INFLATION, BASKET, ANNUAL = "inflation", "basket", "annual"
IDENTIFIERS = {
    INFLATION: ["REF_AREA", "TIME_PERIOD"],
    BASKET: ["REF_AREA", "ITEM", "TIME_PERIOD"],
    ANNUAL: ["REF_AREA", "TIME_PERIOD"],
}
MEASURES = {INFLATION: ["OBS_VALUE"], BASKET: ["IDX", "W"], ANNUAL: ["OBS_VALUE"]}
HERE = Path(__file__).parent


def polars(workload, source, target):
    pl = sys.modules["polars"]
    frame = pl.scan_csv(source)
    year = pl.col("TIME_PERIOD").str.slice(0, 4)
    if workload == INFLATION:
        month = year.cast(pl.Int32) * 12 + pl.col("TIME_PERIOD").str.slice(6, 2).cast(pl.Int32)
        frame = frame.with_columns(month=month)
        before = frame.select("REF_AREA", pl.col("month") + 12, BEFORE="OBS_VALUE")
        change = ((pl.col("OBS_VALUE") / pl.col("BEFORE") - 1) * 100).round(1)
        frame = frame.join(before, on=["REF_AREA", "month"])
        frame = frame.select("REF_AREA", "TIME_PERIOD", OBS_VALUE=change)
    elif workload == BASKET:
        grouped = frame.group_by("REF_AREA", "TIME_PERIOD")
        weighted = (pl.col("IDX") * pl.col("W")).sum() / pl.col("W").sum()
        frame = grouped.agg(OBS_VALUE=weighted)
    else:
        grouped = frame.group_by("REF_AREA", TIME_PERIOD=year)
        mean = grouped.agg(pl.col("OBS_VALUE").mean(), points=pl.len())
        frame = mean.filter(pl.col("points") == 12).drop("points")
    frame.sort("REF_AREA", "TIME_PERIOD").collect().write_csv(target)


SQL = {
    INFLATION: """
        with d as (select *, substr(TIME_PERIOD, 1, 4)::int * 12 + substr(TIME_PERIOD, 7, 2)::int as m
                   from '{source}')
        select d.REF_AREA, d.TIME_PERIOD, round((d.OBS_VALUE / b.OBS_VALUE - 1) * 100, 1) as OBS_VALUE
        from d join d b on d.REF_AREA = b.REF_AREA and d.m = b.m + 12 order by 1, 2""",
    BASKET: """
        select REF_AREA, TIME_PERIOD, sum(IDX * W) / sum(W) as OBS_VALUE
        from '{source}' group by 1, 2 order by 1, 2""",
    ANNUAL: """
        select REF_AREA, substr(TIME_PERIOD, 1, 4) as TIME_PERIOD, avg(OBS_VALUE) as OBS_VALUE
        from '{source}' group by 1, 2 having count(*) = 12 order by 1, 2""",
}


def duckdb(workload, source, target):
    query = SQL[workload].format(source=source)
    sys.modules["duckdb"].sql(f"copy ({query}) to '{target}' (header)")


def vtlengine(workload, source, target):
    components = [
        {"name": name, "role": "Identifier", "nullable": False,
         "type": "Time_Period" if name == "TIME_PERIOD" else "String"}
        for name in IDENTIFIERS[workload]
    ]
    components += [
        {"name": name, "role": "Measure", "nullable": True, "type": "Number"}
        for name in MEASURES[workload]
    ]
    result = sys.modules["vtlengine"].run(
        script=(HERE / f"{workload}.vtl").read_text(),
        data_structures={"datasets": [{"name": "D", "DataStructure": components}]},
        datapoints={"D": Path(source)},
        time_period_output_format="sdmx_gregorian" if workload == ANNUAL else "vtl",
        return_only_persistent=True,
        use_duckdb=True,
    )
    result["R"].data.to_csv(target, index=False)


if __name__ == "__main__":
    tool, workload, source, target = sys.argv[1:]
    __import__(tool)
    wall, cpu = time.perf_counter(), time.process_time()
    globals()[tool](workload, source, target)
    print(time.perf_counter() - wall, time.process_time() - cpu)
