//! `assay import --check-source`: is the source still what was signed?

use fetch::{FetchSource, SourceCheck};
use ledger::compute;
use ledger::revision::{Revision, compare_versions};
use schemas::cid::{DatasetId, PieceId};
use schemas::object::{Dataset, Provenance, Snapshot, decode_object};
use serde_json::json;

use crate::args::{Global, Import};
use crate::backend::{Backend, home};
use crate::commands::dataset;
use crate::fault::{DIFFERS, Fault};
use crate::net::{self, Loaded};
use crate::screen::{Screen, Tone};
use crate::source::{self, Given};
use crate::{versions, view};

/// Changes that are shown.
const CHANGES: usize = 5;
/// Exit code of a source that is gone.
const GONE: u8 = 5;

/// What a look at a source found.
enum Found {
    /// The same document, or another with the same figures.
    Same(&'static str),
    /// Other figures.
    Changed(Box<Option<Revision>>, String),
    /// Nothing.
    Gone(String),
}

pub(super) fn run(global: &Global, args: &Import, wanted: &str, screen: &Screen) -> Result<u8, Fault> {
    let backend = Backend::open(&home(global)?)?;
    let id = versions::find(&backend, wanted)?;
    let (dataset, before) = compute::load_dataset(id, &backend.fetch())?;
    let (snapshot, importer) = origin(&backend, &dataset)?;
    let Some(url) = snapshot.url.as_ref().map(ToString::to_string) else {
        return Err(Fault::usage(
            "source-unknown",
            format!("data set `{wanted}` does not say where it came from"),
        )
        .hint("import it by `assay import <agency> <code>` or an address, or name one with `--url`"));
    };
    let fetcher = net::fetcher(args)?;
    let source = FetchSource::from_url(fetcher.url_policy(), &url)?;
    let memory = net::memory(global)?;
    let known = memory.validators(&url, &snapshot.blake3);
    let found = match net::ask(&fetcher, &source, known.as_ref(), &memory, screen) {
        Ok(None) => Found::Same("the source says so"),
        Ok(Some(loaded)) => judge(args, &dataset, &snapshot, &importer, &before.table, loaded, screen)?,
        Err(fault) if fault.code == "source-gone" => Found::Gone(fault.message),
        Err(fault) => return Err(fault),
    };
    let at = node::unix_seconds();
    memory
        .record_check(&id.to_string(), &SourceCheck { url: url.clone(), at, found: found.word().into() })?;
    tell(&id, &url, at, &found, screen);
    Ok(found.exit())
}

/// The document that a data set was read from, and by what.
fn origin(backend: &Backend, dataset: &Dataset) -> Result<(Snapshot, String), Fault> {
    let Provenance::Import { snapshot, importer } = &dataset.provenance else {
        return Err(Fault::usage("source-unknown", "the data set was not read from a source"));
    };
    let bytes = backend.block(snapshot.cid())?.ok_or_else(|| {
        Fault::absent(format!("the source document {snapshot} of the data set is not held here"))
    })?;
    Ok((decode_object(&bytes)?, importer.to_string()))
}

/// Compares what the source has now with what was signed: byte by byte, then figure by figure.
fn judge(
    args: &Import,
    dataset: &Dataset,
    snapshot: &Snapshot,
    importer: &str,
    before: &schemas::table::Table,
    loaded: Loaded,
    screen: &Screen,
) -> Result<Found, Fault> {
    if PieceId::of(&loaded.bytes).cid().digest() == &snapshot.blake3 {
        return Ok(Found::Same("the document is the same to the byte"));
    }
    let word = importer.split('/').next().unwrap_or_default();
    let given = Given {
        format: ingest::Format::from_code(word),
        companions: Vec::new(),
        // The name may be what the series is called by.
        name: snapshot.name.to_string(),
        bytes: loaded.bytes,
        origin: Some(loaded.origin),
    };
    let imported = source::reread(args, &given, screen)?;
    if source::content(&imported)? == dataset.content {
        return Ok(Found::Same("the document is another, its figures are the same"));
    }
    Ok(match compare_versions(before, &imported.table) {
        Ok(found)
            if found.added + found.vanished + found.revised == 0
                && found.components == Default::default() =>
        {
            Found::Same("the document is another, its figures are the same")
        }
        Ok(found) => Found::Changed(Box::new(Some(found)), "the figures are others".into()),
        Err(unlike) => Found::Changed(Box::new(None), unlike.to_string()),
    })
}

impl Found {
    fn word(&self) -> &'static str {
        match self {
            Found::Same(_) => "same",
            Found::Changed(..) => "changed",
            Found::Gone(_) => "gone",
        }
    }

    fn exit(&self) -> u8 {
        match self {
            Found::Same(_) => 0,
            Found::Changed(..) => DIFFERS,
            Found::Gone(_) => GONE,
        }
    }

    fn why(&self) -> &str {
        match self {
            Found::Same(why) => why,
            Found::Changed(_, why) | Found::Gone(why) => why,
        }
    }
}

fn tell(id: &DatasetId, url: &str, at: i64, found: &Found, screen: &Screen) {
    let revised = match found {
        Found::Changed(revision, _) => revision.as_ref().as_ref(),
        _ => None,
    };
    screen.document(&json!({
        "dataset": id, "url": url, "at": at, "source": found.word(), "why": found.why(),
        "revision": revised.map(|revised| dataset::document(revised, None, CHANGES)),
    }));
    let tone = if found.exit() == 0 { Tone::Good } else { Tone::Bad };
    screen.field("data set", id);
    screen.field("fetched", url);
    screen.field("source", format!("{}: {}", screen.paint(tone, found.word()), found.why()));
    if let Some(revised) = revised {
        dataset::tell(revised, CHANGES, screen);
        screen
            .field("points", view::count(revised.same, "data point is the same", "data points are the same"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "REF_AREA,TIME_PERIOD,OBS_VALUE\nFRA,2009,98.5\nFRA,2010,100\nDEU,2010,100\n";

    /// What is found when a source has `now` where `SIGNED` was signed.
    fn found(now: &str) -> Result<Found, Fault> {
        let (args, screen) = (Import::default(), Screen::documents());
        let given = |text: &str| {
            let Loaded { name, bytes, origin } = Loaded::sample(text);
            let format = ingest::Format::from_code("csv");
            Given { format, name, bytes, companions: Vec::new(), origin: Some(origin) }
        };
        let prepared = source::prepare(&args, given(SIGNED), &screen)?;
        let Provenance::Import { snapshot, importer } = &prepared.dataset.provenance else {
            panic!("an import")
        };
        let (_, block) = prepared.blocks.iter().find(|(id, _)| *id == snapshot.cid()).expect("the snapshot");
        let snapshot: Snapshot = decode_object(block)?;
        assert_eq!(
            snapshot.url.as_ref().map(ToString::to_string).as_deref(),
            Some("https://www.ons.gov.uk/x.csv")
        );
        assert_eq!(snapshot.fetched, Some(0));
        let table = &prepared.imported.table;
        judge(&args, &prepared.dataset, &snapshot, importer.as_str(), table, Loaded::sample(now), &screen)
    }

    #[test]
    fn a_source_is_the_same_when_its_figures_are() {
        let check = |now: &str, why: &str| {
            let found = found(now).expect("judged");
            assert_eq!((found.word(), found.exit()), ("same", 0), "{now}");
            assert!(found.why().contains(why), "{}", found.why());
        };
        check(SIGNED, "to the byte");
        check(&SIGNED.replace('\n', "\r\n"), "figures are the same");
        let other = "REF_AREA,TIME_PERIOD,OBS_VALUE\nDEU,2010,100\nFRA,2010,100\nFRA,2009,98.5\n";
        check(other, "figures are the same");
    }

    #[test]
    fn a_source_is_changed_when_a_figure_is() {
        let check = |now: &str, counts: [u64; 3]| {
            let found = found(now).expect("judged");
            assert_eq!((found.word(), found.exit()), ("changed", DIFFERS), "{now}");
            let Found::Changed(revision, _) = found else { panic!("changed") };
            let revision = revision.expect("the same identifiers");
            assert_eq!([revision.added, revision.vanished, revision.revised], counts, "{now}");
        };
        check(&SIGNED.replace("98.5", "98.6"), [0, 0, 1]);
        check(&format!("{SIGNED}DEU,2011,102\n"), [1, 0, 0]);
        check(&SIGNED.replace("DEU,2010,100\n", ""), [0, 1, 0]);
    }

    #[test]
    fn a_source_that_no_longer_reads_is_a_fault() {
        assert!(found("<html>we moved</html>").is_err());
    }

    #[test]
    fn a_source_that_is_gone_has_its_exit_code() {
        assert_eq!(Found::Gone(String::new()).exit(), Fault::absent("x").exit());
    }
}
