//! Whether what an object refers to is of the kinds that it says: an id tells which bytes, not which
//! kind of object they are, and a publisher may name what it likes.

use schemas::cid::Cid;
use schemas::object::{
    self, Content, Dataset, Object, ObjectType, Provenance, Recipe, Release, Snapshot, Structure,
};

use crate::core::{Core, Error};
use crate::storage::Storage;

impl<K: Storage> Core<K> {
    /// Whether an object that is whole here can be shown and run: what reads lists relies on this.
    pub(crate) fn references_valid(&self, value: &Object) -> Result<bool, Error> {
        match value {
            Object::Dataset(dataset) => self.dataset_references_valid(dataset),
            Object::Release(release) => self.release_references_valid(release),
            _ => Ok(true),
        }
    }

    fn dataset_references_valid(&self, dataset: &Dataset) -> Result<bool, Error> {
        let source = match &dataset.provenance {
            Provenance::Import { snapshot, .. } => self.read_typed::<Snapshot>(snapshot.cid())?.is_some(),
            Provenance::Release { release, .. } => self.read_typed::<Release>(release.cid())?.is_some(),
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

    /// The columns of its chunks are read when somebody wants the figures.
    fn content_references_valid(&self, id: Cid) -> Result<bool, Error> {
        let Some(content) = self.read_typed::<Content>(id)? else { return Ok(false) };
        Ok(self.read_typed::<Structure>(content.structure.cid())?.is_some())
    }

    /// An object, if it is one of this kind.
    fn read_typed<T: ObjectType>(&self, id: Cid) -> Result<Option<T>, Error> {
        let bytes = self.storage.get(id)?.ok_or(Error::CorruptRow("objects"))?;
        Ok(object::decode_object(&bytes).ok())
    }
}
