//! Cores of nodes under test.

use std::sync::Arc;

use service::{Core, CoreSetup, Signer, Storage};

use crate::publisher::operating_key;
use crate::sample::make_text;

/// Setup of a core that signs with the operating key of the publisher with this seed, and attests.
pub fn core_setup(seed: u8) -> CoreSetup {
    CoreSetup { signer: Some(Signer(operating_key(seed))), build: make_text("test"), attest: true }
}

/// Opens a core with this setup.
pub fn open_core<S: Storage>(storage: S, seed: u8) -> Core<S> {
    Core::open(Arc::new(storage), core_setup(seed)).unwrap()
}
