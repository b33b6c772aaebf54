//! Our readers against other people's: serde_ipld_dagcbor for objects, coset for entries.
//!
//! What we accept they must accept and write back to the same bytes. The reverse does not hold,
//! and should not: both read more than we do.

mod coset;
mod mutation;

use ipld_core::ipld::Ipld;
use schemas::cbor::{self, CborRules};
use schemas::object::Object;
use specs::vector::VectorCase;

use super::vectors::open;
use mutation::{Random, mutate};

/// Inputs of the mutation run.
const ROUNDS: usize = 200_000;

/// Printed with every failure; a run is repeated by its seed.
const SEED: u64 = 0x5eed_0123_4567_89ab;

/// Bytes beyond which an input is not worth its time in a mutation run.
const INPUT_BYTES_MAX: usize = 2048;

fn cases(names: &[&str]) -> Vec<VectorCase> {
    names.iter().flat_map(|name| open(name).cases).collect()
}

/// Whether we accept; when we do, so must the other, with the same bytes.
fn agree(input: &[u8], told: &dyn Fn() -> String) -> bool {
    let accepted = cbor::scan(input, CborRules::DagCbor, |_| {}).is_ok();
    if accepted {
        let value: Ipld = serde_ipld_dagcbor::from_slice(input)
            .unwrap_or_else(|fault| panic!("{}: we accept what the other refuses: {fault}", told()));
        let again = serde_ipld_dagcbor::to_vec(&value).expect("what was read can be written");
        assert!(again == input, "{}: we accept what the other writes otherwise", told());
    }
    if let Ok(object) = Object::decode_object(input) {
        assert!(accepted, "{}: an object that is not strict", told());
        assert_eq!(
            cbor::find_links(input).map(|links| links.is_empty()),
            Ok(links(input) == 0),
            "{}",
            told()
        );
        // Whatever must be held is named by a link.
        let named = cbor::find_links(input).expect("strict");
        assert!(object.dependencies().iter().all(|need| named.contains(need)), "{}", told());
    }
    accepted
}

/// Links that the other reader finds.
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
fn every_vector_that_we_accept_the_other_accepts() {
    let mut accepted = 0;
    for case in cases(&["cbor.json", "object.json", "chunk.json"]) {
        let ours = agree(&case.input(), &|| case.name.clone());
        assert!(ours || case.expect != "ok", "{}", case.name);
        accepted += usize::from(ours);
    }
    assert!(accepted > 100, "vectors were run");
}

#[test]
fn mutated_objects_never_divide_the_readers() {
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
        objects += usize::from(Object::decode_object(&input).is_ok());
    }
    println!("seed {SEED:#x}: of {ROUNDS} mutated inputs {strict} strict, {objects} objects");
    assert!(strict > ROUNDS / 20 && objects > ROUNDS / 1000, "mutations are too wild to say anything");
}
