//! SIGKILL at any time: acknowledged batches are stored, and no batch is stored in part.
//!
//! The test binary runs itself as the child. The child prints each number after the store has
//! acknowledged its batch; the parent reads up to a pseudo-random number of them and kills.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use schemas::cid::{Cid, Codec};
use store::Store;

use crate::fixture::{assert_batches, batch, blocks};

/// Environment variable that makes the test binary the child; holds the directory of the store.
const DIR: &str = "ASSAY_STORE_KILL_DIR";

/// Number of kills.
const ROUNDS: u64 = 20;

/// The child; does nothing without the variable.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let (store, _) = Store::open(Path::new(&dir)).unwrap();
    let mut out = std::io::stdout().lock();
    for number in store.stats().blocks / 2.. {
        store.commit(batch(number)).unwrap();
        if writeln!(out, "acknowledged {number}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn spawn(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "process_kills::child", "--nocapture"]).env(DIR, dir);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Reads up to `count` acknowledgements, kills, and reads what was still in the pipe.
fn run(dir: &Path, count: usize) -> Option<u64> {
    let mut child = spawn(dir);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut numbers = lines.map_while(Result::ok).filter_map(|line| {
        let (_, number) = line.split_once("acknowledged ")?;
        number.parse().ok()
    });
    let last: Option<u64> = numbers.by_ref().take(count).last();
    child.kill().unwrap();
    child.wait().unwrap();
    numbers.last().or(last)
}

#[test]
fn acknowledged_batches_survive_kills() {
    let dir = tempfile::tempdir().unwrap();
    let mut seed = 2_026_u64;
    let mut least = 0;
    for round in 0..ROUNDS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Sometimes zero, which kills the child while it opens the store.
        let last = run(dir.path(), (seed >> 33) as usize % 40);
        least = last.map_or(least, |last| last + 1);
        let (store, _) = Store::open(dir.path()).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let held = store.stats().blocks / 2;
        assert!(held == least || held == least + 1, "round {round}: {held} held, {least} acknowledged");
        for block in blocks(held) {
            assert!(!store.has_block(Cid::of(Codec::Raw, &block)).unwrap(), "round {round}: half a batch");
        }
        assert_batches(&store, held);
        least = held;
    }
    let (store, _) = Store::open(dir.path()).unwrap();
    assert!(store.fsck(&mut |_, _| {}).unwrap().is_clean());
}
