//! `assay demo`: the whole idea on one machine, with nothing simulated. Three nodes run as
//! processes of their own; one publishes real figures, two run them again; then one publishes a
//! falsified figure, and the other two expose it.

mod stage;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ledger::compute;
use node::service::query::ReleaseInfo;
use schemas::cid::{DatasetId, RecipeId, ReleaseId};
use schemas::content::{self, encode_block};
use schemas::decimal::Decimal;
use schemas::object::{Release, encode_object};
use schemas::table::{Cell, Column, Table};
use schemas::text::{Name, Text};
use schemas::verdict::Verdict;
use serde_json::{Value, json};

use crate::args::{Demo, Import};
use crate::fault::{Fault, Kind};
use crate::plan;
use crate::screen::{Screen, Tone};
use crate::source;
use crate::view;

use stage::{Stage, is, text};

/// File, text, dataflow and title of each part of the built-in sample; the figures and their
/// sources are named in `sample/SOURCES.md`.
const SAMPLE: [(&str, &str, &str, &str); 4] = [
    (
        "cpi.csv",
        include_str!("../../sample/cpi.csv"),
        "CPI",
        "Consumer price index, 2010 = 100 (World Bank FP.CPI.TOTL)",
    ),
    (
        "labour.csv",
        include_str!("../../sample/labour.csv"),
        "LFS",
        "Labour force and unemployed, USA (BLS through FRED)",
    ),
    (
        "gdp.csv",
        include_str!("../../sample/gdp.csv"),
        "GDP",
        "GDP, constant 2015 US dollars (World Bank NY.GDP.MKTP.KD)",
    ),
    (
        "population.csv",
        include_str!("../../sample/population.csv"),
        "POPULATION",
        "Population (World Bank SP.POP.TOTL)",
    ),
];

/// A release of the demonstration.
struct Play {
    recipe: &'static str,
    dataflow: &'static str,
    /// Inputs, each fed by the data set whose dataflow has its name.
    inputs: &'static [&'static str],
}

const PLAYS: [Play; 3] = [
    Play { recipe: "inflation/cpi-annual", dataflow: "inflation", inputs: &["CPI"] },
    Play { recipe: "unemployment/u3", dataflow: "unemployment", inputs: &["LFS"] },
    Play { recipe: "gdp/per-person", dataflow: "gdp", inputs: &["GDP", "POPULATION"] },
];

/// The figure that is falsified: output, area, period, and what is taken off it.
const FALSIFIED: (&str, &str, &str, i64) = ("INFLATION", "TUR", "2018", -6);

/// The nodes.
const ACTORS: [(char, &str); 3] =
    [('A', "Statistics Office"), ('B', "Bureau of Good News"), ('C', "University")];

/// What has been published.
struct Told {
    recipe: RecipeId,
    dataflow: &'static str,
    release: ReleaseId,
}

pub(super) fn run(args: &Demo, screen: &Screen) -> Result<u8, Fault> {
    let failed =
        |fault: std::io::Error| Fault::new(Kind::Failure, "file", format!("no folder for the demo: {fault}"));
    let dir = tempfile::Builder::new().prefix("assay-demo-").tempdir().map_err(failed)?;
    let mut stage = Stage::new();
    enter(&mut stage, dir.path(), screen)?;
    let (datasets, told) = publish(&mut stage, dir.path(), screen)?;
    confirm(&mut stage, &told, screen)?;
    let falsified = falsify(&mut stage, &datasets, &told, screen)?;
    let exposed = expose(&mut stage, falsified, screen)?;
    let keep = args.keep || screen.attended();
    finish(&mut stage, &told, falsified, &exposed, keep, screen)?;
    if keep {
        stage.linger();
    }
    Ok(0)
}

/// Three nodes start and follow one another.
fn enter(stage: &mut Stage, dir: &Path, screen: &Screen) -> Result<(), Fault> {
    for (letter, name) in ACTORS {
        stage.enter(dir, letter, name)?;
    }
    for (letter, _) in ACTORS {
        let mut backend = stage.backend(letter)?;
        for other in stage.actors.iter().filter(|actor| actor.letter != letter) {
            backend.follow(other.publisher, true)?;
        }
    }
    let mut title = "three nodes";
    for actor in &stage.actors {
        let address = actor.addresses.first().map(String::as_str).unwrap_or_default();
        let place = address.split("/p2p/").next().unwrap_or_default();
        screen.field(
            title,
            format!("{} {:<20} {place}  {}", letter(actor.letter, screen), actor.name, actor.api),
        );
        title = "";
    }
    Ok(())
}

fn letter(letter: char, screen: &Screen) -> String {
    screen.paint(Tone::Bold, letter)
}

/// A imports the sample and publishes three releases.
fn publish(
    stage: &mut Stage,
    dir: &Path,
    screen: &Screen,
) -> Result<(BTreeMap<&'static str, DatasetId>, Vec<Told>), Fault> {
    let mut backend = stage.backend('A')?;
    let mut datasets = BTreeMap::new();
    let mut points = 0;
    for (file, sample, dataflow, title) in SAMPLE {
        let path = dir.join(file);
        fs::write(&path, sample).map_err(|fault| Fault::new(Kind::Failure, "file", fault.to_string()))?;
        let given = source::Given::file(Some(ingest::Format::Csv), &path)?;
        let prepared = source::prepare(&import(dataflow, title), given, screen)?;
        let published = backend.publish(&encode_object(&prepared.dataset)?, prepared.blocks)?;
        points += prepared.imported.summary.observations;
        let id = DatasetId::try_from(published.object)
            .map_err(|fault| Fault::usage("data-set", fault.to_string()))?;
        datasets.insert(dataflow, id);
    }
    screen.field(
        "published",
        format!(
            "{} signs 4 data sets, {} of World Bank and BLS, each with its source file",
            letter('A', screen),
            view::count(points, "real figure", "real figures"),
        ),
    );
    let mut told = Vec::new();
    for Play { recipe, dataflow, inputs } in PLAYS {
        let recipe = plan::open(recipe)?;
        let (id, _) = encode_block(&recipe)?;
        backend.publish(&encode_object(&recipe)?, Vec::new())?;
        let mut chosen = BTreeMap::new();
        for input in inputs {
            let dataset = datasets.get(input).ok_or_else(|| Fault::absent(*input))?;
            chosen.insert(Name::new(*input)?, *dataset);
        }
        let mut sources = BTreeMap::new();
        for (input, dataset) in &chosen {
            sources.insert(input.clone(), compute::load_dataset(*dataset, &backend.fetch())?.1);
        }
        let outcome = compute::run_recipe(&recipe, sources)?;
        let results = outcome.figures.iter().map(|(name, figures)| (name.clone(), figures.content)).collect();
        let blocks = outcome.figures.into_values().flat_map(|figures| figures.blocks).collect();
        let release = claim(dataflow, id, chosen, results, outcome.steps)?;
        let published = backend.publish(&encode_object(&release)?, blocks)?;
        let release = ReleaseId::try_from(published.object)
            .map_err(|fault| Fault::usage("release", fault.to_string()))?;
        told.push(Told { recipe: id, dataflow, release });
    }
    screen.field(
        "",
        format!("{} signs 3 recipes and runs them: inflation, unemployment, gdp", letter('A', screen)),
    );
    Ok((datasets, told))
}

fn import(dataflow: &str, title: &str) -> Import {
    Import { dataflow: Some(dataflow.into()), title: Some(title.into()), ..Import::default() }
}

fn claim(
    dataflow: &str,
    recipe: RecipeId,
    inputs: BTreeMap<Name, DatasetId>,
    results: BTreeMap<Name, schemas::cid::ContentId>,
    steps: u64,
) -> Result<Release, Fault> {
    Ok(Release {
        dataflow: Name::new(dataflow)?,
        vintage: Text::new(view::day(node::unix_seconds()))?,
        recipe,
        inputs,
        results,
        steps,
        supersedes: None,
    })
}

/// B and C receive, run again, attest; A hears of it.
fn confirm(stage: &mut Stage, told: &[Told], screen: &Screen) -> Result<(), Fault> {
    let mut title = "run again";
    for claim in told {
        let mut parts = Vec::new();
        for witness in ['B', 'C'] {
            let event = verified(stage, witness, claim.release)?;
            parts.push(format!("{} {}", letter(witness, screen), verdict(&event, screen)?));
        }
        screen.field(title, format!("{:<13} {}", claim.dataflow, parts.join("   ")));
        title = "";
    }
    attested(stage, 'A', &["B", "C"], told.len())?;
    Ok(())
}

fn verified(stage: &mut Stage, witness: char, release: ReleaseId) -> Result<Value, Fault> {
    let id = release.to_string();
    stage.wait(&format!("node {witness} to run a release again"), |from, event| {
        from == witness && is(event, "verified") && text(event, "release") == id
    })
}

fn verdict(event: &Value, screen: &Screen) -> Result<String, Fault> {
    let found = event.get("verdict").cloned().unwrap_or_default();
    let found: Verdict = serde_json::from_value(found).map_err(|fault| {
        Fault::new(Kind::Failure, "event", format!("a node's word does not read: {fault}"))
    })?;
    let tone = if matches!(found, Verdict::Reproduced { .. }) { Tone::Good } else { Tone::Bad };
    Ok(match found {
        Verdict::Reproduced { cells } => {
            format!("{} {cells} of {cells} cells", screen.paint(tone, "reproduced"))
        }
        other => screen.paint(tone, other),
    })
}

/// Waits until `node` holds `count` attestations of each of the witnesses.
fn attested(stage: &mut Stage, node: char, witnesses: &[&str], count: usize) -> Result<(), Fault> {
    for witness in witnesses {
        let publisher = stage.actor(witness.chars().next().unwrap_or('?'))?.publisher.to_string();
        // Sequence number 0 is the genesis; the attestations follow it one by one.
        for seq in 1..=count {
            stage.wait(&format!("node {node} to hear of an attestation"), |from, event| {
                from == node
                    && is(event, "accepted")
                    && text(event, "kind") == "attestation"
                    && text(event, "publisher") == publisher
                    && event.get("seq").and_then(Value::as_u64) == Some(seq as u64)
            })?;
        }
    }
    Ok(())
}

/// B publishes the same recipe on the same data, with one figure changed.
fn falsify(
    stage: &mut Stage,
    datasets: &BTreeMap<&'static str, DatasetId>,
    told: &[Told],
    screen: &Screen,
) -> Result<ReleaseId, Fault> {
    let mut backend = stage.backend('B')?;
    let genuine =
        told.iter().find(|claim| claim.dataflow == "inflation").ok_or_else(|| Fault::absent("inflation"))?;
    let dataset = *datasets.get("CPI").ok_or_else(|| Fault::absent("CPI"))?;
    let (recipe, input) = (plan::open("inflation/cpi-annual")?, Name::new("CPI")?);
    let (_, source) = compute::load_dataset(dataset, &backend.fetch())?;
    let outcome = compute::run_recipe(&recipe, BTreeMap::from([(input.clone(), source)]))?;
    let mut results = BTreeMap::new();
    let mut blocks = Vec::new();
    let mut words = String::new();
    for (name, figures) in outcome.figures {
        let (table, was, now) = bend(&figures.table)?;
        let (_, (structure, _)) = (
            name.clone(),
            content::unpack_table(figures.content, |id| {
                figures.blocks.iter().find(|(block, _)| *block == id).map(|(_, bytes)| bytes.clone())
            })
            .map_err(|fault| Fault::usage("content", fault.to_string()))?,
        );
        let (content, packed) = content::pack_table(&table, structure.codes)?;
        results.insert(name, content);
        blocks.extend(packed);
        words = format!("{was} becomes {now}");
    }
    let release =
        claim("inflation", genuine.recipe, BTreeMap::from([(input, dataset)]), results, outcome.steps)?;
    let published = backend.publish(&encode_object(&release)?, blocks)?;
    let (_, area, period, _) = FALSIFIED;
    screen.field(
        "falsified",
        format!(
            "{} publishes inflation too, and bends one figure: {area} {period}, {words}",
            letter('B', screen)
        ),
    );
    ReleaseId::try_from(published.object).map_err(|fault| Fault::usage("release", fault.to_string()))
}

/// The table with the one figure changed; what it was, what it is now.
fn bend(table: &Table) -> Result<(Table, Decimal, Decimal), Fault> {
    let (_, area, period, change) = FALSIFIED;
    let named = |row: &usize| {
        let key: Vec<String> = table.key(*row).iter().map(Cell::to_string).collect();
        key == [area, period]
    };
    let absent = || Fault::absent(format!("the figure of {area} in {period}"));
    let row = (0..table.rows()).find(named).ok_or_else(absent)?;
    let mut columns = table.columns().to_vec();
    let Some(Column::Number(values)) = columns.last_mut() else { return Err(absent()) };
    let cell = values.get_mut(row).ok_or_else(absent)?;
    let was = cell.ok_or_else(absent)?;
    let unit = 10_i128.pow(was.decimal_places());
    let now = Decimal::new(was.coefficient() + i128::from(change) * unit, was.exponent())
        .map_err(|fault| Fault::usage("figure", fault.to_string()))?;
    *cell = Some(now);
    let table = Table::new(table.shape().clone(), columns)
        .map_err(|fault| Fault::usage("figure", fault.to_string()))?;
    Ok((table, was, now))
}

/// A and C run it again and say which cell differs.
fn expose(stage: &mut Stage, falsified: ReleaseId, screen: &Screen) -> Result<String, Fault> {
    let mut title = "exposed";
    let mut cell = String::new();
    for witness in ['A', 'C'] {
        let event = verified(stage, witness, falsified)?;
        screen.field(title, format!("{} {}", letter(witness, screen), verdict(&event, screen)?));
        title = "";
        let found = event.pointer("/verdict/differs/first").cloned().unwrap_or_default();
        let found: schemas::verdict::Divergence = serde_json::from_value(found).map_err(|_| {
            Fault::new(Kind::Failure, "demo", format!("node {witness} did not find the falsified cell"))
        })?;
        cell = found.to_string();
    }
    Ok(cell)
}

/// The count at the end, taken from what node C holds, and the commands to try next.
fn finish(
    stage: &mut Stage,
    told: &[Told],
    falsified: ReleaseId,
    cell: &str,
    keep: bool,
    screen: &Screen,
) -> Result<(), Fault> {
    attested(stage, 'C', &["B"], told.len())?;
    stage.wait("node C to hear of the last attestation", |from, event| {
        from == 'C' && is(event, "accepted") && text(event, "kind") == "attestation"
    })?;
    let backend = stage.backend('A')?;
    let releases = backend.releases()?;
    let mut good = 0;
    for claim in told {
        let info = one(&releases, claim.release)?;
        good += usize::from(
            info.attestations.len() == 2
                && info
                    .attestations
                    .iter()
                    .all(|said| matches!(said.attestation.verdict, Verdict::Reproduced { .. })),
        );
    }
    let bad = one(&releases, falsified)?;
    let (_, area, period, _) = FALSIFIED;
    let named = cell.contains(&format!("[{area}, {period}]"));
    let differs = matches!(bad.verdict, Some(Verdict::Differs { .. })) && named;
    screen.document(&json!({
        "reproduced": good, "releases": told.len(), "witnesses": 2, "falsified": falsified, "exposed": differs, "cell": cell,
        "nodes": stage.actors.iter().map(|actor| json!({
            "letter": actor.letter, "name": actor.name, "publisher": actor.publisher, "api": actor.api,
            "addresses": actor.addresses, "data": actor.home.path(),
        })).collect::<Vec<_>>(),
    }));
    screen.say("");
    screen.say(format_args!(
        "{good} releases {} by 2 of 2 other nodes",
        screen.paint(Tone::Good, "reproduced")
    ));
    screen.say(format_args!("1 falsified release {} at {cell}", screen.paint(Tone::Bad, "differs")));
    if good != told.len() || !differs {
        return Err(Fault::new(Kind::Failure, "demo", "the demonstration did not end as it should"));
    }
    next(stage, keep, screen)
}

fn one(releases: &[ReleaseInfo], id: ReleaseId) -> Result<&ReleaseInfo, Fault> {
    releases.iter().find(|info| info.id == id).ok_or_else(|| Fault::absent(format!("release {id}")))
}

fn next(stage: &Stage, keep: bool, screen: &Screen) -> Result<(), Fault> {
    if !keep {
        screen.next(&[
            "assay demo --keep".into(),
            "assay init --name \"Your office\"".into(),
            "assay --help".into(),
        ]);
        return Ok(());
    }
    let (office, rival, witness) = (stage.actor('A')?, stage.actor('B')?, stage.actor('C')?);
    let data = witness.home.path().display();
    screen.next(&[
        format!("assay --data {data} show"),
        format!("assay --data {data} verify assay://{}/inflation/USA/2018", office.publisher),
        format!("assay --data {data} verify assay://{}/inflation    # exit code 3", rival.publisher),
        format!(
            "assay --data {data} export assay://{}/gdp -o gdp.car && assay verify gdp.car",
            office.publisher
        ),
    ]);
    screen.say("");
    screen.field("dashboard", format!("{}/", witness.api));
    screen.say("the nodes run until Ctrl-C");
    Ok(())
}
