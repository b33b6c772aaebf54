//! `assay init`: keys and the first entry of a log.

use serde_json::json;

use crate::args::{Global, Init};
use crate::backend::home;
use crate::fault::Fault;
use crate::screen::Screen;

pub(super) fn run(global: &Global, args: &Init, screen: &Screen) -> Result<u8, Fault> {
    let home = home(global)?;
    let (mut core, _) = node::open_core(&home, false)?;
    if let Some(own) = core.own_publisher() {
        return Err(node::service::Error::HasIdentity(own).into());
    }
    let genesis = home.create_identity(&args.name, args.contact.as_deref(), node::unix_seconds())?;
    let did = genesis.value().key.did();
    let publisher = core.adopt_identity(genesis)?;
    screen.document(&json!({
        "publisher": publisher, "did": did, "name": args.name, "data": home.path(),
    }));
    screen.field("publisher", publisher);
    screen.field("name", &args.name);
    screen.field("root key", did);
    screen.field("data", home.path().display());
    screen.field(
        "keys",
        format!(
            "{} (mode 0600; back them up, nobody can make them again)",
            home.path().join("keys").display()
        ),
    );
    screen.next(&["assay import worldbank API_FP.CPI.TOTL.csv".into(), "assay node".into()]);
    Ok(0)
}
