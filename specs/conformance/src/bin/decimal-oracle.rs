//! Compares the operations of `oracle/aimed.py` with the engine:
//! `cargo run --release -p conformance --bin decimal-oracle -- FILE`; without FILE it reads its input.

use std::io::{BufRead, BufReader, Read, Result, Write, stdin, stdout};
use std::process::ExitCode;

use conformance::arithmetic::{Counts, compare_line};

/// Differences that are printed; more are only counted.
const SHOWN_MAX: usize = 10;

fn main() -> Result<ExitCode> {
    let input: Box<dyn Read> = match std::env::args_os().nth(1) {
        Some(path) => Box::new(std::fs::File::open(path)?),
        None => Box::new(stdin()),
    };
    let (mut counts, mut failed) = (Counts::new(), 0);
    for line in BufReader::new(input).lines() {
        if let Err(difference) = compare_line(&line?, &mut counts) {
            failed += 1;
            if failed <= SHOWN_MAX {
                writeln!(stdout(), "{difference}")?;
            }
        }
    }
    writeln!(stdout(), "{:<12} {:>9} {:>7}", "operation", "compared", "differ")?;
    for (operation, count) in &counts {
        writeln!(stdout(), "{operation:<12} {:>9} {:>7}", count.compared, count.differ)?;
    }
    let compared: u64 = counts.values().map(|count| count.compared).sum();
    writeln!(stdout(), "{:<12} {compared:>9} {failed:>7}", "all")?;
    Ok(if failed == 0 && compared > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
