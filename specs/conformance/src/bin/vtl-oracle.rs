//! Runs the cases of `oracle/generate.py` on the engine: `cargo run -p conformance --bin vtl-oracle -- FILE`.

use std::io::{BufRead, BufReader, Result, Write, stdout};
use std::process::ExitCode;

/// Differences that are printed; more are only counted.
const SHOWN_MAX: usize = 5;

fn main() -> Result<ExitCode> {
    let Some(path) = std::env::args_os().nth(1) else {
        writeln!(stdout(), "usage: vtl-oracle FILE (one case on each line)")?;
        return Ok(ExitCode::from(2));
    };
    let (mut passed, mut failed) = (0, 0);
    for line in BufReader::new(std::fs::File::open(path)?).lines() {
        match conformance::oracle::run_case(&line?) {
            Ok(()) => passed += 1,
            Err(difference) => {
                failed += 1;
                if failed <= SHOWN_MAX {
                    writeln!(stdout(), "case {}: {difference}", passed + failed)?;
                }
            }
        }
    }
    writeln!(stdout(), "{passed} passed, {failed} failed")?;
    // A file without cases proves nothing.
    Ok(if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
