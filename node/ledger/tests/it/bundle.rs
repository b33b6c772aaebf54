use ledger::bundle::{Bundle, Error, write_bundle};
use ledger::verify::verify_release;
use schemas::car;
use schemas::cid::{Cid, EntryId};
use schemas::verdict::Verdict;

use testkit::Publisher;
use testkit::sample::{make_name, make_text};

/// A bundle of one release, with its attestation beside it.
fn bundle() -> (Publisher, EntryId, Vec<u8>) {
    let mut publisher = Publisher::new(1);
    let release = publisher.store_reproducible_release();
    let root = publisher.sign_stored(release.cid()).id();
    let found = verify_release(release, &|id| publisher.block(id));
    let attestation = publisher.store_object(&found.attestation(make_text("assay/test")));
    let beside = publisher.sign_stored(attestation.cid()).id();
    let file = write_bundle(&[root], &[beside], &|id| publisher.block(id)).unwrap();
    (publisher, root, file)
}

#[test]
fn a_bundle_is_verified_without_anything_else() {
    let (publisher, root, file) = bundle();
    let read = Bundle::read(&file).unwrap();
    assert_eq!(read.roots, [root]);
    let release = read.entries[&root].value().object();
    let found = verify_release(release.try_into().unwrap(), &|id| read.block(id));
    assert_eq!(found.verdict, Verdict::Reproduced { cells: 2, read: 4 });
    let said = read.attestations(release);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, publisher.log.publisher());
    assert_eq!(said[0].1.results[&make_name("INFLATION")], found.results[&make_name("INFLATION")]);
}

#[test]
fn objects_that_stand_in_entries_are_not_repeated() {
    let (_, root, file) = bundle();
    let read = Bundle::read(&file).unwrap();
    let inline = read.entries[&root].value().object();
    let (_, blocks) = car::open_archive(&file).unwrap();
    let ids: Vec<Cid> = blocks.map(|block| block.unwrap().0).collect();
    assert!(!ids.contains(&inline) && ids.contains(&root.cid()));
}

#[test]
fn every_flipped_byte_is_noticed() {
    let (_, root, file) = bundle();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        let same = Bundle::read(&changed).is_ok_and(|read| read.roots == [root]);
        assert!(!same, "byte {at}");
    }
    for end in (0..file.len()).step_by(7) {
        let cut = Bundle::read(&file[..end]);
        let whole = cut.is_ok_and(|read| {
            let release = read.entries[&root].value().object();
            let found = verify_release(release.try_into().unwrap(), &|id| read.block(id));
            matches!(found.verdict, Verdict::Reproduced { .. }) && read.attestations(release).len() == 1
        });
        assert!(!whole, "cut at {end}");
    }
}

/// An attestation whose id lost its codec would vanish without a word.
#[test]
fn a_block_that_nothing_needs_is_refused() {
    let (_, _, file) = bundle();
    let stray = Cid::of(schemas::cid::Codec::Raw, b"stray");
    let mut more = file.clone();
    more.extend(car::encode_record(stray, b"stray"));
    assert!(matches!(Bundle::read(&more), Err(Error::Unreferenced(id)) if id == stray));
    let (roots, records) = car::open_archive(&file).unwrap();
    let records: Vec<(Cid, Vec<u8>)> =
        records.map(|record| record.map(|(id, bytes)| (id, bytes.to_vec())).unwrap()).collect();
    for (at, (id, _)) in records.iter().enumerate().filter(|(_, (id, _))| !roots.contains(id)) {
        let other = match id.codec() {
            schemas::cid::Codec::Raw => schemas::cid::Codec::DagCbor,
            schemas::cid::Codec::DagCbor => schemas::cid::Codec::Raw,
        };
        let mut changed = car::encode_header(&roots);
        for (place, (id, bytes)) in records.iter().enumerate() {
            let id = if place == at { Cid::of(other, bytes) } else { *id };
            changed.extend(car::encode_record(id, bytes));
        }
        assert!(Bundle::read(&changed).is_err(), "{id}");
    }
}

#[test]
fn an_entry_without_its_genesis_is_not_believed() {
    let (publisher, root, _) = bundle();
    let mut file = car::encode_header(&[root.cid()]);
    file.extend(car::encode_record(root.cid(), &publisher.blocks[&root.cid()]));
    assert!(matches!(Bundle::read(&file), Err(Error::Genesis(id)) if id == publisher.id()));
    let stranger = Cid::of(schemas::cid::Codec::Raw, b"x");
    assert!(matches!(Bundle::read(&car::encode_header(&[stranger])), Err(Error::Root(id)) if id == stranger));
}
