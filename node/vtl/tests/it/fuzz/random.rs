//! Reproducible randomness: a seed determines a script, a table, a text.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::support::table;
use schemas::table::Table;

/// Xorshift generator with the choices that the tests need.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self((seed ^ 0x5DEE_CE66_D1CE_4E5B).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn of<'t, T: ?Sized>(&mut self, things: &[&'t T]) -> &'t T {
        things[self.below(things.len())]
    }
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "-2.25",
    "100",
    "12.345",
    "3",
    "1e-6176",
    "9999999999999999999999999999999999",
    "-9999999999999999999999999999999999e6111",
    "1000000000000000000000000000000000e6111",
    "0.3333333333333333333333333333333333",
    "5e-1",
    "1.000000000000000000000000000000001",
    "-7e20",
    "1e-30",
    "",
];
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "12",
    "-3",
    "9223372036854775807",
    "-9223372036854775808",
    "1000",
    "3",
    "5",
    "",
];
const TEXTS: &[&str] = &[
    "a",
    "b",
    "A",
    "aa",
    "ß",
    "ﬃ",
    "İ",
    "é😀x",
    "\u{301}",
    "Σας",
    "x y",
    "2010",
    "1.5",
    "2010-01-05",
    "true",
    "P1M",
    "",
];
const DATES: &[&str] = &[
    "0001-01-01",
    "9999-12-31",
    "2020-02-29",
    "2019-12-31",
    "2020-01-31",
    "2020-03-31",
    "2021-01-01",
    "1970-01-01",
    "2020-12-31",
    "",
];
const PERIODS: &[&str] = &[
    "0001",
    "9999",
    "2019",
    "2020",
    "2021",
    "2020-Q1",
    "2020-Q3",
    "9999-Q4",
    "2020-M01",
    "2020-M12",
    "2021-M06",
    "2020-W01",
    "2020-W53",
    "2020-S1",
    "0001-W01",
    "2020-02-29",
    "",
];
const TIMES: &[&str] = &[
    "2010-01-01/2010-12-31",
    "2012-01-01/2012-12-31",
    "2010-01-01/2010-01-31",
    "2010-01-01/2010-01-02",
    "0001-01-01/9999-12-31",
    "2010-01-05/2010-01-05",
    "",
];
const DURATIONS: &[&str] = &["A", "M", "D", "P1Y6M", "P10D", "P1M1D", "P83333Y", "P0D", ""];

/// Names of the inputs and their components.
pub const INPUTS: [(&str, &str); 7] = [
    ("D", "A:i:string,T:i:time_period,X:m:number,N:m:integer"),
    ("E", "A:i:string,T:i:time_period,X:m:number,N:m:integer"),
    ("F", "A:i:string,X:m:number"),
    ("S", "A:i:string,K:i:integer,S1:m:string,V:v:string"),
    ("U", "A:i:string,DT:i:date,X:m:number,AT:a:string,V:v:string"),
    ("P", "K:i:integer,B:m:boolean,DD:m:date,TP:m:time_period,IV:m:time,DU:m:duration,X:m:number"),
    ("Q", "A:i:string,TI:i:time,N:m:integer"),
];

fn cell(random: &mut Random, kind: &str, identifier: bool) -> &'static str {
    let cells = match kind {
        "number" => NUMBERS,
        "integer" => INTEGERS,
        "string" => TEXTS,
        "boolean" => &["true", "false", ""],
        "date" => DATES,
        "time_period" => PERIODS,
        "time" => TIMES,
        _ => DURATIONS,
    };
    // Few keys, so that data sets have common ones; extreme values are rare.
    let cells = if identifier { &cells[..cells.len() - 1] } else { cells };
    let cells = if random.one_in(2) { &cells[..cells.len().min(4)] } else { cells };
    if !identifier && random.one_in(6) { "" } else { random.of(cells) }
}

/// Returns a small table with distinct keys in random row order; one in eight is empty.
pub fn lines(random: &mut Random, shape: &str) -> Vec<String> {
    let parts: Vec<Vec<&str>> = shape.split(',').map(|part| part.split(':').collect()).collect();
    let keys = parts.iter().filter(|part| part[1] == "i").count();
    let count = if random.one_in(8) { 0 } else { 1 + random.below(12) };
    let mut rows = BTreeMap::new();
    for _ in 0..count {
        let row: Vec<&str> = parts.iter().map(|part| cell(random, part[2], part[1] == "i")).collect();
        rows.insert(row[..keys].join(","), row.join(","));
    }
    let mut rows: Vec<String> = rows.into_values().collect();
    shuffle(random, &mut rows);
    rows
}

pub fn shuffle<T>(random: &mut Random, things: &mut [T]) {
    for at in (1..things.len()).rev() {
        things.swap(at, random.below(at + 1));
    }
}

/// Inputs of a run by name.
pub type Tables = BTreeMap<String, Arc<Table>>;

pub fn texts(random: &mut Random) -> Vec<(&'static str, &'static str, Vec<String>)> {
    INPUTS.iter().map(|(name, shape)| (*name, *shape, lines(random, shape))).collect()
}

pub fn tables(texts: &[(&'static str, &'static str, Vec<String>)]) -> Tables {
    let table = |(name, shape, rows): &(&str, &str, Vec<String>)| {
        ((*name).to_owned(), Arc::new(table(&format!("{shape}\n{}", rows.join("\n")))))
    };
    texts.iter().map(table).collect()
}
