//! The state machine (being written).

use crate::{Action, Event, Millis, View};

/// The sync state machine of one node.
#[derive(Debug, Default)]
pub struct Machine {}

impl Machine {
    /// Takes one event at the time `now` and says what to do.
    pub fn handle(&mut self, _now: Millis, _event: Event, _view: &impl View) -> Vec<Action> {
        Vec::new()
    }
}
