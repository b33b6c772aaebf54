//! Cores under test, and objects that other publishers sign.

use std::collections::BTreeMap;

use schemas::cid::{Cid, Codec, ContentId, DatasetId, RecipeId};
use schemas::content::{Block, pack_table};
use schemas::object::{Recipe, RecipeOutput, encode_object};
use schemas::table::Table;
use service::{Core, MemoryStorage};
use testkit::Publisher;
use testkit::node_core::open_core;
use testkit::prices::{claimed_release, csv_snapshot, imported_dataset, inflation_recipe, value_table};
use testkit::sample::{make_name, make_text};

/// A core with empty memory that follows a publisher.
pub(crate) fn open_follower(publisher: &Publisher) -> (Core<MemoryStorage>, MemoryStorage) {
    let memory = MemoryStorage::default();
    let mut core = open_core(memory.clone(), 50);
    core.follow(publisher.id()).unwrap();
    (core, memory)
}

fn index_table() -> Table {
    value_table(&[("A", "2000", "100"), ("A", "2001", "101")])
}

/// Id of an encoded object.
pub(crate) fn object_id(object: &[u8]) -> Cid {
    Cid::of(Codec::DagCbor, object)
}

/// A data set whose source document is `document`, and the blocks that it needs.
pub(crate) fn dataset_bytes(document: &[u8]) -> (Vec<u8>, Vec<Block>) {
    let (content, mut blocks) = pack_table(&index_table(), BTreeMap::new()).unwrap();
    let (snapshot, source) = csv_snapshot("cpi.csv", document);
    blocks.extend(source);
    (encode_object(&imported_dataset(content, snapshot)).unwrap(), blocks)
}

/// A data set whose content is `wrong`, an object of any type.
pub(crate) fn dataset_with_content(wrong: Block) -> (Vec<u8>, Vec<Block>) {
    let (snapshot, mut blocks) = csv_snapshot("cpi.csv", b"source");
    let content = ContentId::try_from(wrong.0).unwrap();
    blocks.push(wrong);
    (encode_object(&imported_dataset(content, snapshot)).unwrap(), blocks)
}

/// A recipe that doubles its input.
pub(crate) fn doubling_recipe() -> Vec<u8> {
    let output = RecipeOutput { title: make_text("Twice"), unit: make_text("index") };
    let outputs = BTreeMap::from([(make_name("TWICE"), output)]);
    let recipe = inflation_recipe("TWICE <- CPI * 2;");
    let recipe = Recipe { title: make_text("Twice"), indicator: make_name("twice"), outputs, ..recipe };
    encode_object(&recipe).unwrap()
}

/// A release that claims the input as its result, which is wrong, and the blocks of the result.
pub(crate) fn wrong_release(recipe: Cid, dataset: Cid) -> (Vec<u8>, Vec<Block>) {
    let (content, blocks) = pack_table(&index_table(), BTreeMap::new()).unwrap();
    let (recipe, dataset) = (RecipeId::try_from(recipe).unwrap(), DatasetId::try_from(dataset).unwrap());
    let results = BTreeMap::from([(make_name("TWICE"), content)]);
    (encode_object(&claimed_release(recipe, dataset, results, 1)).unwrap(), blocks)
}

/// A publisher with a data set, a recipe and a release in its log.
pub(crate) fn publisher_with_release(seed: u8) -> Publisher {
    let mut publisher = Publisher::new(seed);
    let (dataset, blocks) = dataset_bytes(b"source");
    publisher.sign_object(&dataset, blocks);
    publisher.sign_object(&doubling_recipe(), Vec::new());
    let (release, blocks) = wrong_release(object_id(&doubling_recipe()), object_id(&dataset));
    publisher.sign_object(&release, blocks);
    publisher
}
