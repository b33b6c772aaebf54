//! The verbs, one file each.

mod dataset;
mod demo;
mod export;
mod follow;
mod fsck;
mod import;
mod init;
mod node;
mod peer;
mod publish;
mod recheck;
mod recipe;
mod retract;
mod show;
mod verify;

use crate::args::{Args, Verb};
use crate::fault::Fault;
use crate::screen::Screen;

/// Runs the verb and gives the exit code.
///
/// # Errors
/// Whatever keeps the verb from its work.
pub fn run(args: Args, screen: &Screen) -> Result<u8, Fault> {
    let global = &args.global;
    match &args.verb {
        Verb::Init(verb) => init::run(global, verb, screen),
        Verb::Import(verb) => import::run(global, verb, screen),
        Verb::Dataset(verb) => dataset::run(global, verb, screen),
        Verb::Recipe(verb) => recipe::run(global, verb, screen),
        Verb::Publish(verb) => publish::run(global, verb, screen),
        Verb::Retract(verb) => retract::run(global, verb, screen),
        Verb::Verify(verb) => verify::run(global, verb, screen),
        Verb::Show(verb) => show::run(global, verb, screen),
        Verb::Follow(verb) => follow::run(global, verb, screen, true),
        Verb::Unfollow(verb) => follow::run(global, verb, screen, false),
        Verb::Peer(verb) => peer::run(global, verb, screen),
        Verb::Node(verb) => node::run(global, verb, screen),
        Verb::Export(verb) => export::run(global, verb, screen),
        Verb::Fsck(verb) => fsck::run(global, verb, screen),
        Verb::Demo(verb) => demo::run(verb, screen),
    }
}
