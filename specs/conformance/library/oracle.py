"""What each recipe of the library must give: plain Python over `decimal`, one function a recipe.

Written from the methods and from specs/vtl.md, not from the engine. A data set is a dictionary from the
values of its identifiers, the period last, to one value, or to a dictionary of values by name; a value is
a `Decimal`, an `int`, a `bool` or `None`. Every operation rounds to 34 digits, half to even, sums are
exact and rounded once, and the order of operations is that of the recipe.

`rounds` false leaves out the last rounding of a recipe, so that all 34 digits can be compared.
"""
import decimal
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal as D

CONTEXT = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-6143, Emax=6144)
WIDE = decimal.Context(prec=5000, Emin=-99999, Emax=99999, traps=[decimal.InvalidOperation])
EXACT = decimal.Context(prec=5000, Emin=-99999, Emax=99999, traps=[decimal.Inexact])
# Signs are exact: the default would round them to 28 digits.
decimal.setcontext(EXACT)
ROUNDS = True
ORACLE = {}


def recipe(name):
    return lambda function: ORACLE.setdefault(name, function)


# Numbers. An operand that is null makes the result null.

def known(function):
    return lambda *values: None if any(value is None for value in values) else function(*values)


add, sub, mul = known(CONTEXT.add), known(CONTEXT.subtract), known(CONTEXT.multiply)
div = known(CONTEXT.divide)
HUNDRED = D(100)


@known
def rounded(value, places):
    """Half away from zero, on the exact digits."""
    if not ROUNDS:
        return value
    return value.quantize(D((0, (1,), -places)), decimal.ROUND_HALF_UP, WIDE)


def exact(values):
    total = D(0)
    for value in values:
        total = EXACT.add(total, value)
    return total


def held(values):
    return [value for value in values if value is not None]


def total(values):
    return CONTEXT.plus(exact(held(values))) if held(values) else None


def mean(values):
    return CONTEXT.divide(exact(held(values)), len(held(values))) if held(values) else None


def lowest(values):
    return min(held(values), default=None)


def highest(values):
    return max(held(values), default=None)


def deviation(values):
    """Standard deviation of a population."""
    found = held(values)
    if not found:
        return None
    squares = EXACT.multiply(len(found), exact(EXACT.multiply(value, value) for value in found))
    square = EXACT.multiply(exact(found), exact(found))
    return CONTEXT.divide(EXACT.subtract(squares, square), len(found) ** 2).sqrt(CONTEXT)


# Data sets.

def each(function, data):
    return {key: function(value) for key, value in data.items()}


def pair(function, left, right):
    """Data points with equal identifiers; those of `right` begin those of `left`."""
    width = len(next(iter(right), ()))
    return {key: function(value, right[key[:width]]) for key, value in left.items() if key[:width] in right}


def join(**parts):
    """Inner join of data sets of the same identifiers: each value under the name of its part."""
    first, *rest = parts.values()
    keys = [key for key in first if all(key in part for part in rest)]
    return {key: {name: part[key] for name, part in parts.items()} for key in keys}


def over(data, keep):
    return {key: value for key, value in data.items() if keep(value)}


def positive(data):
    return over(data, lambda value: value is not None and value > 0)


def present(data):
    return over(data, lambda value: value is not None)


def group(function, data, key):
    groups = defaultdict(list)
    for at, value in data.items():
        groups[key(at)].append(value)
    return {at: function(values) for at, values in groups.items()}


def area(key):
    return key[:1]


def moment(key):
    """Area and period, of a key with an item between."""
    return key[0], key[-1]


def series(data):
    """Data points of each series in the order of time."""
    found = defaultdict(list)
    for key in sorted(data, key=lambda key: (key[:-1], ordinal(key[-1]))):
        found[key[:-1]].append(key)
    return found.values()


def window(function, data, before, after=0):
    """A function of the values from so many data points before each to so many after (negative: before)."""
    made = {}
    for keys in series(data):
        values = [data[key] for key in keys]
        for at, key in enumerate(keys):
            made[key] = function(values[max(0, at - before):max(0, at + 1 + after)])
    return made


EVER = 10 ** 9


def points(values):
    return len(held(values))


def ordinal(period):
    """Frequency and number of a period."""
    if len(period) == 4:
        return "A", int(period)
    year, rest = period.split("-", 1)
    if rest[0] in "MQ":
        return rest[0], int(year) * {"M": 12, "Q": 4}[rest[0]] + int(rest[1:]) - 1
    return "D", date.fromisoformat(period).toordinal()


def later(period, count):
    kind, number = ordinal(period)
    if kind == "A":
        return f"{number + count:04}"
    if kind == "D":
        return str(date.fromisoformat(period) + timedelta(count))
    year, part = divmod(number + count, {"M": 12, "Q": 4}[kind])
    return f"{year:04}-{kind}{part + 1:0{2 if kind == 'M' else 1}}"


def shift(data, count):
    return {(*key[:-1], later(key[-1], count)): value for key, value in data.items()}


def change(data, count):
    """(x / x before - 1) * 100."""
    return pair(lambda now, before: mul(sub(div(now, before), D(1)), HUNDRED), data, shift(data, count))


def ewma(data, weight):
    rest, made = CONTEXT.subtract(1, weight), {}
    for keys in series(data):
        mean = None
        for key in keys:
            value = data[key]
            if value is None:
                made[key] = None
                continue
            mean = value if mean is None else add(mul(weight, value), mul(rest, mean))
            made[key] = mean
    return made


def one(name, data, places=None, measure="OBS_VALUE"):
    """An output of one measure."""
    cut = (lambda value: value) if places is None else (lambda value: rounded(value, places))
    return {name: each(lambda value: {measure: cut(value)}, data)}


# Inflation.

@recipe("inflation/cpi-12-month")
def cpi_12_month(CPI):
    return one("INFLATION", change(CPI, 12), 1)


@recipe("inflation/cpi-1-month")
def cpi_1_month(CPI):
    return one("INFLATION", change(CPI, 1), 2)


@recipe("inflation/cpi-annual")
def cpi_annual(CPI):
    return one("INFLATION", change(CPI, 1), 6)


@recipe("inflation/annual-average")
def annual_average(CPI):
    years = group(lambda values: values, present(CPI), lambda key: (key[0], key[1][:4]))
    average = {key: rounded(mean(values), 3) for key, values in years.items() if len(values) == 12}
    return one("AVERAGE", average) | one("INFLATION", change(average, 1), 1)


@recipe("inflation/rebase")
def rebase(INDEX):
    year = {key: value for key, value in present(INDEX).items() if key[1][:4] == "2015"}
    base = {key: mean(values) for key, values in group(list, year, area).items() if len(values) == 12}
    return one("REBASED", pair(lambda value, base: mul(div(value, base), HUNDRED), INDEX, base), 3)


@recipe("inflation/laspeyres")
def laspeyres(INDEX, WEIGHT):
    valued = pair(mul, present(INDEX), WEIGHT)
    have, need = group(len, valued, moment), group(len, WEIGHT, area)
    index = pair(div, group(total, valued, moment), group(total, WEIGHT, area))
    whole = {key: value for key, value in index.items() if have[key] == need[area(key)]}
    return one("ALL_ITEMS", whole, 3)


@recipe("inflation/chain-linked")
def chain_linked(PRICE, WEIGHT):
    before, to, start = shift(PRICE, 1), {}, {}
    for (place, item, period), price in PRICE.items():
        year = int(period[:4])
        december, weight = (place, item, f"{year - 1:04}-M12"), (place, item, str(year))
        if (place, item, period) in before and december in PRICE and weight in WEIGHT:
            weight, base = WEIGHT[weight], PRICE[december]
            to[place, item, period] = div(mul(weight, price), base)
            start[place, item, period] = div(mul(weight, before[place, item, period]), base)
    factor = pair(div, group(total, to, moment), group(total, start, moment))
    chain = {}
    for keys in series(factor):
        level = None
        for key in keys:
            value = factor[key]
            if value is not None:
                level = value if level is None else mul(level, value)
            chain[key] = mul(HUNDRED, None if value is None else level)
    return one("CHAIN", chain, 3)


@recipe("inflation/contributions")
def contributions(INDEX, WEIGHT):
    cost = pair(mul, INDEX, WEIGHT)
    whole = shift(group(total, cost, moment), 12)
    grown = pair(sub, cost, shift(cost, 12))
    share = {key: mul(div(value, whole[moment(key)]), HUNDRED)
             for key, value in grown.items() if moment(key) in whole}
    return one("CONTRIBUTION", share, 2) | one("TOTAL", group(total, share, moment), 2)


@recipe("inflation/core")
def core(INDEX, WEIGHT):
    parts = {key: value for key, value in INDEX.items() if key[1] not in ("FOOD", "ENERGY")}
    return one("INFLATION", change(group(total, pair(mul, parts, WEIGHT), moment), 12), 1)


@recipe("inflation/housing-alternative")
def housing_alternative(CPI, SHELTER, RENT, WEIGHT):
    linked = join(cpi=CPI, shelter=SHELTER, rent=RENT, weight=WEIGHT)
    part = each(lambda row: mul(div(row["weight"], HUNDRED), row["cpi"]), linked)
    base = {name: group(highest, values, area) for name, values in [
        ("part", part), ("shelter", each(lambda row: row["shelter"], linked)),
        ("rent", each(lambda row: row["rent"], linked))]}
    moved = {}
    for key, row in join(shelter=SHELTER, rent=RENT).items():
        if area(key) in base["part"]:
            part, shelter, rent = (base[name][area(key)] for name in ("part", "shelter", "rent"))
            moved[key] = mul(part, sub(div(row["rent"], rent), div(row["shelter"], shelter)))
    return one("INFLATION", change(pair(add, CPI, moved), 12), 1)


@recipe("inflation/trimmed-mean")
def trimmed_mean(INDEX, WEIGHT):
    months = defaultdict(list)
    for key, value in pair(lambda *both: both, present(change(INDEX, 12)), WEIGHT).items():
        months[moment(key)].append((value[0], key[1], value[1]))
    trim, made = D("0.08"), {}
    for key, rows in months.items():
        whole = total([share for _, _, share in rows])
        low, high = mul(trim, whole), mul(CONTEXT.subtract(1, trim), whole)
        parts, upper = [], []
        for rate, _, share in sorted(rows):
            upper.append(share)
            end = total(upper)
            begin = sub(end, share)
            start, stop = max(begin, low), min(end, high)
            if stop > start:
                parts.append((sub(stop, start), mul(sub(stop, start), rate)))
        if parts:
            made[key] = div(total([value for _, value in parts]), total([part for part, _ in parts]))
    return one("INFLATION", made, 1)


# Unemployment.

def share(rows, above, below):
    """100 * above / below, where there is a labour force."""
    rows = {key: row for key, row in rows.items() if row["LABOUR_FORCE"] is not None and row["LABOUR_FORCE"] > 0}
    return one("UNEMPLOYMENT", each(lambda row: div(mul(HUNDRED, above(row)), below(row)), rows), 1)


def with_parts(LFS, **parts):
    return {key: LFS[key] | values for key, values in join(LFS=LFS, **parts).items()}


@recipe("unemployment/u3")
def u3(LFS):
    return share(LFS, lambda row: row["UNEMPLOYED"], lambda row: row["LABOUR_FORCE"])


@recipe("unemployment/u4")
def u4(LFS, DISCOURAGED):
    return share(with_parts(LFS, extra=DISCOURAGED), lambda row: add(row["UNEMPLOYED"], row["extra"]),
                 lambda row: add(row["LABOUR_FORCE"], row["extra"]))


@recipe("unemployment/u5")
def u5(LFS, MARGINAL):
    return u4(LFS, MARGINAL)


@recipe("unemployment/u6")
def u6(LFS, MARGINAL, PART_TIME):
    return share(with_parts(LFS, extra=MARGINAL, part=PART_TIME),
                 lambda row: add(add(row["UNEMPLOYED"], row["extra"]), row["part"]),
                 lambda row: add(row["LABOUR_FORCE"], row["extra"]))


@recipe("unemployment/long-term-discouraged")
def long_term_discouraged(LFS, MARGINAL, PART_TIME, WANT_JOB):
    rows = with_parts(LFS, extra=MARGINAL, part=PART_TIME, want=WANT_JOB)
    rows = over(rows, lambda row: None not in (row["want"], row["extra"]) and row["want"] >= row["extra"])
    return share(rows, lambda row: add(add(row["UNEMPLOYED"], row["want"]), row["part"]),
                 lambda row: add(row["LABOUR_FORCE"], row["want"]))


@recipe("unemployment/employment-to-population")
def employment_to_population(EMPLOYED, POPULATION):
    return one("RATIO", pair(div, each(lambda value: mul(HUNDRED, value), EMPLOYED), positive(POPULATION)), 1)


# GDP.

@recipe("gdp/expenditure")
def expenditure(CONSUMPTION, INVESTMENT, GOVERNMENT, EXPORTS, IMPORTS):
    made = pair(add, pair(add, CONSUMPTION, INVESTMENT), GOVERNMENT)
    return one("GDP", pair(sub, pair(add, made, EXPORTS), IMPORTS))


@recipe("gdp/real")
def real(NOMINAL, DEFLATOR):
    return one("REAL", each(lambda value: mul(value, HUNDRED), pair(div, NOMINAL, positive(DEFLATOR))), 3)


@recipe("gdp/growth-annual")
def growth_annual(GDP):
    return one("GROWTH", change(GDP, 1), 1)


@recipe("gdp/growth-year-on-year")
def growth_year_on_year(GDP):
    return one("GROWTH", change(GDP, 4), 1)


@recipe("gdp/growth-annualised")
def growth_annualised(GDP):
    def rate(now, before):
        square = mul(div(now, before), div(now, before))
        return mul(sub(mul(square, square), D(1)), HUNDRED)
    return one("GROWTH", pair(known(rate), GDP, shift(GDP, 1)), 1)


@recipe("gdp/per-person")
def per_person(GDP, POPULATION):
    ratio = pair(div, GDP, positive(POPULATION))
    return one("GDP_PER_PERSON", ratio, 2) | one("GROWTH", change(ratio, 1), 4)


@recipe("gdp/without-government")
def without_government(CONSUMPTION, INVESTMENT, GOVERNMENT, EXPORTS, IMPORTS):
    own = pair(sub, pair(add, pair(add, CONSUMPTION, INVESTMENT), EXPORTS), IMPORTS)
    whole = positive(pair(add, own, GOVERNMENT))
    part = pair(div, each(lambda value: mul(HUNDRED, value), own), whole)
    return one("GDP", own) | one("SHARE", part, 1)


@recipe("gdp/purchasing-power")
def purchasing_power(GDP, POPULATION, PRICES):
    ratio = pair(div, pair(div, GDP, positive(POPULATION)), positive(PRICES))
    ratio = each(lambda value: mul(value, HUNDRED), ratio)
    return one("PURCHASING_POWER", ratio, 2) | one("GROWTH", change(ratio, 1), 1)


# Indicators.

@recipe("indicators/yield-curve")
def yield_curve(LONG, SHORT):
    spread = pair(sub, LONG, SHORT)
    inverted = each(lambda value: None if value is None else value < 0, spread)
    months = group(mean, spread, lambda key: (key[0], f"{key[1][:4]}-M{key[1][5:7]}"))
    return one("SPREAD", spread) | one("INVERTED", inverted, measure="IS_INVERTED") | one("MONTH", months, 2)


@recipe("indicators/bear-market")
def bear_market(PRICE):
    made, worst = {}, {}
    for keys in series(positive(PRICE)):
        peak, top, falls, times = D(0), 0, [], []
        for place, key in enumerate(keys, 1):
            price = PRICE[key]
            if price >= peak:
                peak, top = price, place
            fall = rounded(mul(sub(div(price, peak), D(1)), HUNDRED), 2)
            made[key] = {"FALL": fall, "BEAR": price <= mul(peak, D("0.8")), "SINCE": place - top}
            falls.append(fall)
            times.append(place - top)
        worst[area(keys[0])] = {"FALL": min(falls), "SINCE": max(times)}
    return {"DRAWDOWN": made, "WORST": worst}


@recipe("indicators/moving-average")
def moving_average(SERIES):
    data = present(SERIES)
    short, long, count = window(mean, data, 2), window(mean, data, 11), window(points, data, 11)
    average = {key: {"SHORT_MEAN": rounded(short[key], 4), "LONG_MEAN": rounded(long[key], 4),
                     "ABOVE": short[key] > long[key]} for key in data if count[key] == 12}
    return {"AVERAGE": average} | one("SMOOTHED", ewma(data, D("0.153846")), 4)


def moves(data):
    """Gains and losses from data point to data point."""
    step = window(lambda values: sub(values[1], values[0]) if len(values) == 2 else None, data, 1)
    gain = each(lambda value: max(value, D(0)), present(step))
    return gain, each(lambda value: max(-value, D(0)), present(step))


def strength(data, weight):
    gain, loss = (ewma(part, weight) for part in moves(data))
    sums = positive(pair(add, gain, loss))
    return {key: div(mul(HUNDRED, gain[key]), whole) for key, whole in sums.items()}


@recipe("indicators/rsi")
def rsi(PRICE):
    data = present(PRICE)
    enough = over(window(points, moves(data)[0], EVER), lambda count: count >= 14)
    found = strength(data, D("0.0714285714285714"))
    return one("RSI", {key: value for key, value in found.items() if key in enough}, 2)


@recipe("indicators/catapult")
def catapult(PRICE):
    data = present(PRICE)
    whole = over(window(points, data, 9), lambda count: count == 10)
    spread = {key: value for key, value in window(deviation, data, 9).items() if key in whole}
    mean_of, long = window(mean, data, 199), over(window(points, data, 199), lambda count: count == 200)
    price, spread = strength(data, D("0.0714285714285714")), strength(spread, D("0.0476190476190476"))
    made = {}
    for key in long:
        if key in price and key in spread:
            up = price[key] > 50 and data[key] > mean_of[key]
            down = price[key] < 50 and data[key] < mean_of[key]
            signal = (1 if up else -1 if down else 0) if spread[key] <= 30 else 0
            made[key] = {"RELATIVE_VOLATILITY": rounded(spread[key], 2), "STRENGTH": rounded(price[key], 2),
                         "SIGNAL": signal}
    return {"CATAPULT": made}


@recipe("indicators/sahm-rule")
def sahm_rule(RATE):
    whole = over(window(points, RATE, 2), lambda count: count == 3)
    means = {key: value for key, value in window(mean, RATE, 2).items() if key in whole}
    low, enough = window(lowest, means, 12, -1), window(points, means, 12, -1)
    made = {}
    for key, value in means.items():
        if enough[key] == 12:
            gap = rounded(sub(value, low[key]), 2)
            made[key] = {"GAP": gap, "SIGNAL": gap >= D("0.5")}
    return {"SAHM": made}
