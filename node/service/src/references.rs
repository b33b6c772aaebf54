//! Type check of the references of an object: an id identifies bytes, not their object type, so a
//! publisher can link to an object of the wrong type.

use schemas::cid::Cid;
use schemas::object::{
    self, Content, Dataset, Object, ObjectType, Provenance, Recipe, Release, Snapshot, Structure,
};

use crate::core::{Core, Error};
use crate::storage::Storage;

impl<K: Storage> Core<K> {
    /// Whether all references of a complete object have the right types. Only such objects are indexed, so
    /// queries rely on it.
    pub(crate) fn references_valid(&self, value: &Object) -> Result<bool, Error> {
        match value {
            Object::Dataset(dataset) => self.dataset_references_valid(dataset),
            Object::Release(release) => self.release_references_valid(release),
            _ => Ok(true),
        }
    }

    fn dataset_references_valid(&self, dataset: &Dataset) -> Result<bool, Error> {
        let source = match &dataset.provenance {
            Provenance::Import(import) => {
                let mut valid = true;
                for id in import.snapshots() {
                    valid &= self.read_typed::<Snapshot>(id.cid())?.is_some();
                }
                valid
            }
            Provenance::Release { release, .. } => self.read_typed::<Release>(release.cid())?.is_some(),
            Provenance::Stated => true,
        };
        Ok(source && self.content_references_valid(dataset.content.cid())?)
    }

    fn release_references_valid(&self, release: &Release) -> Result<bool, Error> {
        let mut sound = self.read_typed::<Recipe>(release.recipe.cid())?.is_some();
        for input in release.inputs.values() {
            let dataset = self.read_typed::<Dataset>(input.cid())?;
            sound = sound && dataset.map_or(Ok(false), |dataset| self.dataset_references_valid(&dataset))?;
        }
        for result in release.results.values() {
            sound = sound && self.content_references_valid(result.cid())?;
        }
        Ok(sound)
    }

    /// Checks the content and its structure; chunks are decoded only when the figures are read.
    fn content_references_valid(&self, id: Cid) -> Result<bool, Error> {
        let Some(content) = self.read_typed::<Content>(id)? else { return Ok(false) };
        Ok(self.read_typed::<Structure>(content.structure.cid())?.is_some())
    }

    /// Reads an object; `None` when it has another type.
    fn read_typed<T: ObjectType>(&self, id: Cid) -> Result<Option<T>, Error> {
        let bytes = self.storage.get(id)?.ok_or(Error::CorruptRow("objects"))?;
        Ok(object::decode_object(&bytes).ok())
    }
}
