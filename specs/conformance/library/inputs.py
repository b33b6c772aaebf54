"""Inputs for each recipe: made from a fixed seed, and read from files of the offices when they are at hand.

What is made looks like what is real, in small: several areas of different lengths, periods that are
missing and periods that are blank, items without a weight, prices that stand still.
"""
import csv
import random
from datetime import date, timedelta
from decimal import Decimal as D

AREAS = ["AUT", "JPN", "USA"]
ITEMS = ["ENERGY", "FOOD", "GOODS", "RENT", "TRAVEL"]


def months(first, count):
    return [f"{first + at // 12}-M{at % 12 + 1:02}" for at in range(count)]


def quarters(first, count):
    return [f"{first + at // 4}-Q{at % 4 + 1}" for at in range(count)]


def years(first, count):
    return [str(first + at) for at in range(count)]


def days(first, count):
    start = date(first, 1, 1)
    found = (start + timedelta(at) for at in range(count * 2))
    return [str(day) for day in found if day.weekday() < 5][:count]


def walk(chance, level, swing, places):
    """A level that moves by up to `swing` per mille each time, and now and then stands still."""
    while True:
        yield f"{level:.{places}f}"
        if chance.randrange(12):
            level = level * (1000 + D(chance.randint(-swing * 4 // 5, swing))) / 1000


def panel(seed, periods, level, swing=12, places=3, items=None, whole=1):
    """Series of each area: the first `whole` are complete, the others lack periods and have blanks."""
    chance, rows = random.Random(seed), []
    for at, place in enumerate(AREAS):
        for item in items or [None]:
            values = walk(chance, D(level) * (100 + at * 7 + chance.randrange(9)) / 100, swing, places)
            for period, value in zip(periods[at * 2 if at >= whole else 0:], values):
                lost = chance.randrange(25) if at >= whole else 9
                if lost > 0:
                    key = [place, period] if item is None else [place, item, period]
                    rows.append([*key, "" if lost == 1 else value])
    return rows


def weights(seed):
    """A weight for each item, but for one of the last area."""
    chance = random.Random(seed)
    rows = [[place, item, f"{chance.randint(40, 400) / 10}"] for place in AREAS for item in ITEMS]
    return rows[:-1]


def labour(seed, periods):
    force = panel(seed, periods, 150000, 6, 0)
    jobless = {tuple(row[:2]): row[2] for row in panel(seed + 1, periods, 8000, 60, 0)}
    rows = [[*row, jobless.get(tuple(row[:2]), "")] for row in force]
    return [[*row[:2], "0", row[3]] if at % 31 == 30 else row for at, row in enumerate(rows)]


def made():
    """Rows of every input of every recipe."""
    month, quarter, year, day = months(2015, 60), quarters(2005, 40), years(1990, 30), days(2020, 330)
    index, prices = panel(1, month, 100), panel(2, month, 100, 25, items=ITEMS)
    long = panel(31, months(1990, 96), 80, 40, 2)
    parts = {name: panel(40 + at, quarter, level, 20, 1) for at, (name, level) in enumerate(
        dict(CONSUMPTION=9000, INVESTMENT=2400, GOVERNMENT=2300, EXPORTS=1800, IMPORTS=2200).items())}
    shelter = {"CPI": index, "SHELTER": panel(3, month, 210, 9), "RENT": panel(4, month, 320, 15),
               "WEIGHT": [[place, "2017-M12", value] for place, value in zip(AREAS, ["33.1", "21.75", "35.402"])]}
    basket = {"INDEX": prices, "WEIGHT": weights(5)}
    lfs = {"LFS": labour(6, month)}
    marginal = {"MARGINAL": panel(8, month, 1400, 90, 0)}
    part_time = {"PART_TIME": panel(9, month, 4100, 70, 0)}
    annual = panel(20, year, 1500000, 40, 1)
    return {
        "inflation/cpi-12-month": {"CPI": index},
        "inflation/cpi-1-month": {"CPI": index},
        "inflation/cpi-annual": {"CPI": panel(21, year, 60, 50, 9)},
        "inflation/annual-average": {"CPI": index},
        "inflation/rebase": {"INDEX": index},
        "inflation/laspeyres": basket,
        "inflation/chain-linked": {"PRICE": prices, "WEIGHT": [
            [place, item, str(2015 + at), str(D(value) + at * 3)]
            for place, item, value in basket["WEIGHT"] for at in range(5)]},
        "inflation/contributions": basket,
        "inflation/core": basket,
        "inflation/housing-alternative": shelter,
        "inflation/trimmed-mean": basket,
        "unemployment/u3": lfs,
        "unemployment/u4": lfs | {"DISCOURAGED": panel(7, month, 400, 90, 0)},
        "unemployment/u5": lfs | marginal,
        "unemployment/u6": lfs | marginal | part_time,
        "unemployment/long-term-discouraged":
            lfs | marginal | part_time | {"WANT_JOB": panel(10, month, 1500, 150, 0)},
        "unemployment/employment-to-population":
            {"EMPLOYED": panel(11, month, 140000, 8, 0), "POPULATION": panel(12, month, 240000, 3, 0)},
        "gdp/expenditure": parts,
        "gdp/real": {"NOMINAL": parts["CONSUMPTION"], "DEFLATOR": panel(22, quarter, 100, 9)},
        "gdp/growth-annual": {"GDP": annual},
        "gdp/growth-year-on-year": {"GDP": parts["CONSUMPTION"]},
        "gdp/growth-annualised": {"GDP": parts["CONSUMPTION"]},
        "gdp/per-person": {"GDP": annual, "POPULATION": panel(23, year, 81000, 12, 0)},
        "gdp/without-government": parts,
        "gdp/purchasing-power": {"GDP": annual, "POPULATION": panel(23, year, 81000, 12, 0),
                                 "PRICES": panel(24, year, 100, 40)},
        "indicators/yield-curve": {"LONG": panel(25, day, 3, 30, 2), "SHORT": panel(26, day, 3, 60, 2)},
        "indicators/bear-market": {"PRICE": long},
        "indicators/moving-average": {"SERIES": long},
        "indicators/rsi": {"PRICE": long},
        "indicators/catapult": {"PRICE": panel(27, day, 1300, 18, 2)},
        "indicators/sahm-rule": {"RATE": panel(28, month, 5, 60, 1)},
    }


# Files of the offices.

def period(text, kind):
    if kind == "A":
        return text[:4]
    if kind == "D":
        return text
    month = int(text[5:7])
    return f"{text[:4]}-M{month:02}" if kind == "M" else f"{text[:4]}-Q{(month + 2) // 3}"


def fred(folder, name, kind):
    """A file of FRED: a date and a value, missing as a point, as NA or blank."""
    with open(folder / "fred" / f"{name}.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [["USA", period(day, kind), "" if value in (".", "", "NA") else value] for day, value in rows]


def bank(folder, name):
    """A wide file of the World Bank, every area."""
    with open(next((folder / "worldbank").glob(f"API_{name}_DS2_en_csv_v2_*.csv")), newline="",
              encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    head = next(at for at, row in enumerate(rows) if row[:1] == ["Country Name"])
    return [[row[1], year, value] for row in rows[head + 1:]
            for year, value in zip(rows[head][4:], row[4:]) if year and value]


# Series of prices by the name that their weight has.
GROUPS = {
    "Food and beverages": "CPIFABNS", "Housing": "CPIHOSNS", "Apparel": "CPIAPPNS",
    "Transportation": "CPITRNNS", "Medical care": "CPIMEDNS", "Recreation": "CPIRECNS",
    "Education and communication": "CPIEDUNS", "Other goods and services": "CPIOGSNS",
}
CORE = {"Food": "CPIUFDNS", "Energy": "CPIENGNS", "All items less food and energy": "CPILFENS"}


def importance(folder):
    """Relative importance by name, of the first year of the file."""
    with open(folder / "bls" / "cpi_relative_importance_2022-2025_from_mtkonczal.csv", newline="") as file:
        return {row[0]: row[1] for row in reversed(list(csv.reader(file))) if len(row) == 3}


def component(folder, name):
    return fred(folder, f"components_2023-12/{name}", "M")


def basket(folder, names):
    """Indices of groups, with their weights; the codes of food and energy are those of the library."""
    code = lambda name: name.upper() if name in ("Food", "Energy") else names[name]
    weight = importance(folder)
    index = [[row[0], code(name), *row[1:]] for name in names for row in component(folder, names[name])]
    return {"INDEX": index, "WEIGHT": [["USA", code(name), weight[name]] for name in names]}


def shiller(folder):
    with open(folder / "markets" / "shiller_sp500_monthly.csv", newline="") as file:
        return [["USA", period(row["Date"], "M"), row["SP500"]] for row in csv.DictReader(file)]


def real(folder):
    """Rows of the recipes for which the folder has files.

    It has exports less imports only: they stand for exports, and imports are zero.
    """
    cpi, gdp = fred(folder, "CPIAUCNS", "M"), fred(folder, "GDP", "Q")
    net = fred(folder, "NETEXP", "Q")
    parts = {"CONSUMPTION": fred(folder, "PCEC", "Q"), "INVESTMENT": fred(folder, "GPDI", "Q"),
             "GOVERNMENT": fred(folder, "GCE", "Q"), "EXPORTS": net,
             "IMPORTS": [[*row[:2], "0"] for row in net]}
    prices = shiller(folder)
    annual = bank(folder, "NY.GDP.MKTP.CD")
    with open(folder / "worldbank" / "wdi_long_2026-07-01_sp.pop.totl.csv", newline="") as file:
        people = [[row[1], row[2], row[3]] for row in list(csv.reader(file))[1:] if row[3]]
    return {
        "inflation/cpi-12-month": {"CPI": cpi},
        "inflation/cpi-1-month": {"CPI": cpi},
        "inflation/cpi-annual": {"CPI": bank(folder, "FP.CPI.TOTL")},
        "inflation/annual-average": {"CPI": cpi},
        "inflation/rebase": {"INDEX": cpi},
        "inflation/laspeyres": basket(folder, GROUPS),
        "inflation/contributions": basket(folder, GROUPS),
        "inflation/trimmed-mean": basket(folder, GROUPS),
        "inflation/core": basket(folder, CORE),
        "inflation/housing-alternative": {
            "CPI": component(folder, "CPIAUCNS"), "SHELTER": component(folder, "CUUR0000SAH1"),
            "RENT": component(folder, "CUUR0000SEHA"),
            "WEIGHT": [["USA", "2022-M12", importance(folder)["Shelter"]]]},
        "gdp/expenditure": parts,
        "gdp/without-government": parts,
        "gdp/real": {"NOMINAL": gdp, "DEFLATOR": fred(folder, "GDPDEF", "Q")},
        "gdp/growth-year-on-year": {"GDP": gdp},
        "gdp/growth-annualised": {"GDP": gdp},
        "gdp/growth-annual": {"GDP": annual},
        "gdp/per-person": {"GDP": annual, "POPULATION": people},
        "indicators/yield-curve": {"LONG": fred(folder, "DGS10", "D"), "SHORT": fred(folder, "DGS2", "D")},
        "indicators/bear-market": {"PRICE": prices},
        "indicators/moving-average": {"SERIES": prices},
        "indicators/rsi": {"PRICE": prices},
        "indicators/catapult": {"PRICE": prices},
        "indicators/sahm-rule": {"RATE": fred(folder, "UNRATE_monthly_2021-10", "M")},
    }
