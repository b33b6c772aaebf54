//! Differential tests of the decoders: serde_ipld_dagcbor for objects, coset for entries.
//!
//! Input that the project accepts must be accepted by the other library and encoded to the same bytes.
//! The reverse does not hold, because both libraries accept more than strict input.

mod coset;
mod mutation;

use ipld_core::ipld::Ipld;
use schemas::cbor::{self, CborRules};
use schemas::object::Object;
use specs::vector::VectorCase;

use super::vectors::open;
use mutation::{Random, mutate};

/// Number of inputs in the mutation run.
const ROUNDS: usize = 200_000;

/// Printed with every failure; a run is repeated by its seed.
const SEED: u64 = 0x5eed_0123_4567_89ab;

/// Inputs from this size on are left out of the mutation run, which they would slow down.
const INPUT_BYTES_MAX: usize = 2048;

fn cases(names: &[&str]) -> Vec<VectorCase> {
    names.iter().flat_map(|name| open(name).cases).collect()
}

/// Whether the project accepts the input; if so, checks that the other library gives the same bytes.
fn agree(input: &[u8], context: &dyn Fn() -> String) -> bool {
    let accepted = cbor::scan(input, CborRules::DagCbor, |_| {}).is_ok();
    if accepted {
        let value: Ipld = serde_ipld_dagcbor::from_slice(input).unwrap_or_else(|error| {
            panic!("{}: accepted here, refused by the other library: {error}", context())
        });
        let again = serde_ipld_dagcbor::to_vec(&value).expect("what was read can be written");
        assert!(again == input, "{}: accepted here, encoded differently by the other library", context());
    }
    if let Ok(object) = Object::decode(input) {
        assert!(accepted, "{}: an accepted object is not strict CBOR", context());
        assert_eq!(
            cbor::find_links(input).map(|links| links.is_empty()),
            Ok(links(input) == 0),
            "{}",
            context()
        );
        // Every dependency is also a link of the encoded object.
        let named = cbor::find_links(input).expect("strict");
        assert!(object.dependencies().iter().all(|need| named.contains(need)), "{}", context());
    }
    accepted
}

/// Number of links that the other library finds.
fn links(input: &[u8]) -> usize {
    fn count(value: &Ipld) -> usize {
        match value {
            Ipld::Link(_) => 1,
            Ipld::List(items) => items.iter().map(count).sum(),
            Ipld::Map(pairs) => pairs.values().map(count).sum(),
            _ => 0,
        }
    }
    serde_ipld_dagcbor::from_slice(input).map_or(0, |value| count(&value))
}

#[test]
fn accepted_vectors_are_accepted_by_the_other_library() {
    let mut accepted = 0;
    for case in cases(&["cbor.json", "object.json", "chunk.json"]) {
        let ours = agree(&case.input(), &|| case.name.clone());
        assert!(ours || case.expect != "ok", "{}", case.name);
        accepted += usize::from(ours);
    }
    assert!(accepted > 100, "vectors were run");
}

#[test]
fn mutated_objects_give_the_same_result() {
    let pool: Vec<Vec<u8>> = cases(&["cbor.json", "object.json", "chunk.json"])
        .iter()
        .filter(|case| case.repeat.is_none())
        .map(VectorCase::input)
        .filter(|input| input.len() < INPUT_BYTES_MAX)
        .collect();
    let mut random = Random::new(SEED);
    let (mut strict, mut objects) = (0, 0);
    for round in 0..ROUNDS {
        let input = mutate(&pool, &mut random);
        strict += usize::from(agree(&input, &|| format!("seed {SEED:#x}, round {round}")));
        objects += usize::from(Object::decode(&input).is_ok());
    }
    println!("seed {SEED:#x}: of {ROUNDS} mutated inputs {strict} strict, {objects} objects");
    assert!(
        strict > ROUNDS / 20 && objects > ROUNDS / 1000,
        "too few mutated inputs are valid to test anything"
    );
}
