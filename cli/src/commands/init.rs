//! `assay init`: creates the keys and the first entry of a log.

use serde_json::json;

use crate::args::{GlobalArgs, InitArgs};
use crate::backend::open_home;
use crate::error::CommandError;
use crate::output::Printer;

pub(super) fn run(global: &GlobalArgs, args: &InitArgs, printer: &Printer) -> Result<u8, CommandError> {
    let home = open_home(global)?;
    // The open store is locked, so no second command creates keys meanwhile.
    let (mut core, _) = node::open_core(&home, false)?;
    if let Some(own) = core.own_publisher() {
        return Err(service::Error::HasIdentity(own).into());
    }
    let genesis = home.create_identity(&args.name, args.contact.as_deref(), node::unix_seconds())?;
    let did = genesis.value().key.did();
    let publisher = core.adopt_identity(genesis)?;
    printer.print_json(&json!({
        "publisher": publisher, "did": did, "name": args.name, "data": home.path(),
    }));
    printer.print_field("publisher", publisher);
    printer.print_field("name", &args.name);
    printer.print_field("root key", did);
    printer.print_field("data", home.path().display());
    printer.print_field(
        "keys",
        format!(
            "{} (mode 0600; back them up: lost keys cannot be restored)",
            home.path().join("keys").display()
        ),
    );
    printer.suggest_commands(&["assay import API_FP.CPI.TOTL.csv".into(), "assay node".into()]);
    Ok(0)
}
