"""Writes the input of each workload: the same bytes whenever and wherever it is run.

No library and no generator of Python is used, so that a new version of Python changes nothing.
"""

import sys

MONTHS = 780
FIRST_YEAR = 1960
ITEMS = 12

# Areas of the panel (a, c) and of the basket (b); each has MONTHS months, the basket ITEMS items.
AREAS = {"small": {"panel": 217, "basket": 18}, "large": {"panel": 2170, "basket": 180}}


class Random:
    """A linear congruential generator (Knuth's MMIX constants)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def periods():
    return [f"{FIRST_YEAR + month // 12}-M{month % 12 + 1:02}" for month in range(MONTHS)]


def area(number):
    return f"A{number:04}"


def decimal(value, places):
    text = str(value).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}"


def walk(random, months):
    """An index of four decimals that drifts upwards: `104.3721`."""
    level = 100_000
    for _ in range(months):
        level += 20 + random.below(700) - 300
        level = max(level, 1000)
        yield decimal(level * 10 + random.below(10), 4)


def panel(path, areas):
    random, times = Random(7), periods()
    with open(path, "w", newline="") as out:
        out.write("REF_AREA,TIME_PERIOD,OBS_VALUE\n")
        for number in range(areas):
            for time, value in zip(times, walk(random, MONTHS)):
                out.write(f"{area(number)},{time},{value}\n")


def basket(path, areas):
    random, times = Random(11), periods()
    with open(path, "w", newline="") as out:
        out.write("REF_AREA,ITEM,TIME_PERIOD,IDX,W\n")
        for number in range(areas):
            for item in range(ITEMS):
                weight = decimal(20_000 + random.below(130_000), 3)
                for time, value in zip(times, walk(random, MONTHS)):
                    out.write(f"{area(number)},CP{item + 1:02},{time},{value},{weight}\n")


if __name__ == "__main__":
    kind, rows, path = sys.argv[1:]
    {"panel": panel, "basket": basket}[kind](path, AREAS[rows][kind])
