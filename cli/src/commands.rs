//! The commands, one file each.

mod check_source;
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
mod recipe;
mod retract;
mod show;
mod verify;

use crate::args::{CommandLine, Verb};
use crate::error::CommandError;
use crate::output::Printer;

/// Runs a command and returns its exit code.
///
/// # Errors
/// Each error of the command.
pub fn run(args: CommandLine, printer: &Printer) -> Result<u8, CommandError> {
    let global = &args.global;
    match &args.verb {
        Verb::Init(verb) => init::run(global, verb, printer),
        Verb::Import(verb) => import::run(global, verb, printer),
        Verb::Dataset(verb) => dataset::run(global, verb, printer),
        Verb::Recipe(verb) => recipe::run(global, verb, printer),
        Verb::Publish(verb) => publish::run(global, verb, printer),
        Verb::Retract(verb) => retract::run(global, verb, printer),
        Verb::Verify(verb) => verify::run(global, verb, printer),
        Verb::Show(verb) => show::run(global, verb, printer),
        Verb::Follow(verb) => follow::run(global, verb, printer, true),
        Verb::Unfollow(verb) => follow::run(global, verb, printer, false),
        Verb::Peer(verb) => peer::run(global, verb, printer),
        Verb::Node(verb) => node::run(global, verb, printer),
        Verb::Export(verb) => export::run(global, verb, printer),
        Verb::Fsck(verb) => fsck::run(global, verb, printer),
        Verb::Demo(verb) => demo::run(verb, printer),
    }
}
