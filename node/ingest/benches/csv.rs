//! Throughput of a general CSV in MB/s: `cargo bench -p ingest --bench csv -- FILE [THREADS]`.
//!
//! Reads the file from disk, in chunks, into a checked table; prints the time of each pass and the
//! throughput of the best one. `specs/benches/import.py` compares it with another program.

// A benchmark prints, and measures with binary numbers.
#![allow(clippy::print_stdout)]

use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ingest::{ImportOptions, ReadAt};

/// Number of passes; the best one counts.
const PASSES: usize = 5;

struct OnDisk(Mutex<File>, u64);

impl ReadAt for OnDisk {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(into)
    }
}

fn main() -> Result<()> {
    // Cargo adds `--bench` of its own.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let Some(path) = words.next().map(PathBuf::from) else {
        println!("usage: cargo bench -p ingest --bench csv -- FILE [THREADS]");
        return Ok(());
    };
    let threads = words.next().and_then(|count| count.parse().ok()).unwrap_or(NonZeroUsize::MIN);
    let options = ImportOptions { threads: Some(threads), ..ImportOptions::default() };
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        let document = OnDisk(Mutex::new(file), size);
        let started = Instant::now();
        let imported = ingest::import_document("data.csv", &document, &options, &mut |_| {});
        let seconds = started.elapsed().as_secs_f64();
        match imported {
            Ok(imported) => println!("{} rows in {seconds:.3} s", imported.table.rows()),
            Err(error) => return Err(std::io::Error::other(error.to_string())),
        }
        best = best.min(size as f64 / 1e6 / seconds);
    }
    println!("{best:.0} MB/s with {threads} thread(s)");
    Ok(())
}
