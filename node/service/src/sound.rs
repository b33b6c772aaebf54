//! Whether what an object refers to is of the kinds that it says: an id tells which bytes, not which
//! kind of object they are, and a publisher may name what it likes.

use schemas::cid::Cid;
use schemas::object::{
    self, Body, Content, Dataset, Object, Provenance, Recipe, Release, Snapshot, Structure,
};

use crate::core::{Core, Error};
use crate::keep::Keep;

impl<K: Keep> Core<K> {
    /// Whether an object that is whole here can be shown and run: what reads lists relies on this.
    pub(crate) fn sound(&self, value: &Object) -> Result<bool, Error> {
        match value {
            Object::Dataset(dataset) => self.sound_dataset(dataset),
            Object::Release(release) => self.sound_release(release),
            _ => Ok(true),
        }
    }

    fn sound_dataset(&self, dataset: &Dataset) -> Result<bool, Error> {
        let source = match &dataset.provenance {
            Provenance::Import { snapshot, .. } => self.read::<Snapshot>(snapshot.cid())?.is_some(),
            Provenance::Release { release, .. } => self.read::<Release>(release.cid())?.is_some(),
        };
        Ok(source && self.sound_content(dataset.content.cid())?)
    }

    fn sound_release(&self, release: &Release) -> Result<bool, Error> {
        let mut sound = self.read::<Recipe>(release.recipe.cid())?.is_some();
        for input in release.inputs.values() {
            let dataset = self.read::<Dataset>(input.cid())?;
            sound = sound && dataset.map_or(Ok(false), |dataset| self.sound_dataset(&dataset))?;
        }
        for result in release.results.values() {
            sound = sound && self.sound_content(result.cid())?;
        }
        Ok(sound)
    }

    /// The columns of its chunks are read when somebody wants the figures.
    fn sound_content(&self, id: Cid) -> Result<bool, Error> {
        let Some(content) = self.read::<Content>(id)? else { return Ok(false) };
        Ok(self.read::<Structure>(content.structure.cid())?.is_some())
    }

    /// An object, if it is one of this kind.
    fn read<T: Body>(&self, id: Cid) -> Result<Option<T>, Error> {
        let bytes = self.keep.get(id)?.ok_or(Error::Row("objects"))?;
        Ok(object::decode(&bytes).ok())
    }
}
