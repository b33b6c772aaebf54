//! `assay demo`: the whole workflow on one machine, without simulation. Three nodes run as processes of
//! their own; one publishes real figures and two verify them; then one publishes a falsified figure, and
//! the other two expose it.

mod cluster;

use std::collections::BTreeMap;
use std::path::Path;

use ingest::{Format, ImportOptions};
use schemas::address::SCHEME;
use schemas::cid::{DatasetId, RecipeId, ReleaseId};
use schemas::content;
use schemas::decimal::Decimal;
use schemas::table::{Cell, Column, Table};
use schemas::text::{Name, Text};
use schemas::verdict::Verdict;
use serde_json::{Value, json};
use service::query::ReleaseInfo;
use submit::release::publishable_recipe;
use submit::{DatasetRequest, InputDataset, ReleaseLabels, SourceDocument};

use crate::args::DemoArgs;
use crate::error::{CommandError, ErrorCategory};
use crate::format;
use crate::output::{Printer, TextStyle};
use crate::recipe_source;

use cluster::{DemoCluster, DemoNode, is_event, text_field};

/// File name, text, dataflow and title of each part of the embedded sample. `sample/SOURCES.md` lists
/// the sources.
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

/// A release that the demonstration publishes.
struct DemoRelease {
    recipe: &'static str,
    dataflow: &'static str,
    /// Inputs; each takes the data set whose dataflow has the same name.
    inputs: &'static [&'static str],
}

const RELEASES: [DemoRelease; 3] = [
    DemoRelease { recipe: "inflation/cpi-annual", dataflow: "inflation", inputs: &["CPI"] },
    DemoRelease { recipe: "unemployment/u3", dataflow: "unemployment", inputs: &["LFS"] },
    DemoRelease { recipe: "gdp/per-person", dataflow: "gdp", inputs: &["GDP", "POPULATION"] },
];

/// The falsified figure: output, area, period, and the amount added to it.
const FALSIFIED: (&str, &str, &str, i64) = ("INFLATION", "TUR", "2018", -6);

/// Letter and publisher name of each node.
const NODES: [(char, &str); 3] =
    [('A', "Statistics Office"), ('B', "Bureau of Good News"), ('C', "University")];

/// A release that has been published.
struct PublishedRelease {
    recipe: RecipeId,
    dataflow: &'static str,
    release: ReleaseId,
}

pub(super) fn run(args: &DemoArgs, printer: &Printer) -> Result<u8, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(
            ErrorCategory::Failure,
            "file",
            format!("cannot create a folder for the demonstration: {error}"),
        )
    };
    let dir = tempfile::Builder::new().prefix("assay-demo-").tempdir().map_err(failed)?;
    let mut cluster = DemoCluster::new();
    start_nodes(&mut cluster, dir.path(), printer)?;
    let (datasets, published_releases) = publish_sample(&mut cluster, printer)?;
    await_confirmations(&mut cluster, &published_releases, printer)?;
    let falsified = publish_falsified(&mut cluster, &datasets, &published_releases, printer)?;
    let exposed = await_exposure(&mut cluster, falsified, printer)?;
    // A person at a terminal can look at the nodes; a script only needs the exit code.
    let keep = args.keep || printer.is_interactive();
    print_summary(&mut cluster, &published_releases, falsified, &exposed, keep, printer)?;
    if keep {
        cluster.wait_until_stopped();
    }
    Ok(0)
}

/// Starts the nodes; each follows the two others.
fn start_nodes(cluster: &mut DemoCluster, dir: &Path, printer: &Printer) -> Result<(), CommandError> {
    for (letter, name) in NODES {
        cluster.start_node(dir, letter, name)?;
    }
    // All nodes start first, since following needs the ids of all publishers.
    for (letter, _) in NODES {
        let mut backend = cluster.backend(letter)?;
        for other in cluster.nodes.iter().filter(|node| node.letter != letter) {
            backend.set_following(other.publisher, true)?;
        }
    }
    let mut title = "three nodes";
    for node in &cluster.nodes {
        let address = node.addresses.first().map(String::as_str).unwrap_or_default();
        let place = address.split("/p2p/").next().unwrap_or_default();
        printer.print_field(
            title,
            format!("{} {:<20} {place}  {}", styled_letter(node.letter, printer), node.name, node.api),
        );
        title = "";
    }
    Ok(())
}

fn styled_letter(letter: char, printer: &Printer) -> String {
    printer.style_text(TextStyle::Bold, letter)
}

/// Node A imports the sample and publishes three releases.
fn publish_sample(
    cluster: &mut DemoCluster,
    printer: &Printer,
) -> Result<(BTreeMap<&'static str, DatasetId>, Vec<PublishedRelease>), CommandError> {
    let mut backend = cluster.backend('A')?;
    let mut datasets = BTreeMap::new();
    let mut points = 0;
    for (file, sample, dataflow, title) in SAMPLE {
        let document = SourceDocument { name: file.into(), bytes: sample.into(), origin: None };
        let draft = submit::draft_dataset(&[document], &dataset_request(dataflow, title), &mut |_| ())?;
        points += draft.imported.summary.observations;
        let published = backend.publish_object(&draft.encode()?, draft.blocks)?;
        let id = DatasetId::try_from(published.object)
            .map_err(|error| CommandError::usage("data-set", error.to_string()))?;
        datasets.insert(dataflow, id);
    }
    printer.print_field(
        "published",
        format!(
            "{} signs 4 data sets, {} from World Bank and BLS, each with its source file",
            styled_letter('A', printer),
            format::format_count(points, "real figure", "real figures"),
        ),
    );
    let mut published_releases = Vec::new();
    for DemoRelease { recipe, dataflow, inputs } in RELEASES {
        let recipe = recipe_source::load_recipe(recipe)?;
        let (id, (_, bytes)) = publishable_recipe(&recipe)?;
        backend.publish_object(&bytes, Vec::new())?;
        let mut chosen = BTreeMap::new();
        for input in inputs {
            let dataset = datasets.get(input).ok_or_else(|| CommandError::not_found(*input))?;
            chosen.insert(Name::new(*input)?, InputDataset::load(*dataset, &backend.block_reader())?);
        }
        let draft = submit::compute_figures(&recipe, chosen)?.into_release(id, release_labels(dataflow)?);
        let published = backend.publish_object(&draft.encode()?, draft.blocks)?;
        let release = ReleaseId::try_from(published.object)
            .map_err(|error| CommandError::usage("release", error.to_string()))?;
        published_releases.push(PublishedRelease { recipe: id, dataflow, release });
    }
    printer.print_field(
        "",
        format!(
            "{} signs 3 recipes and runs them: inflation, unemployment, gdp",
            styled_letter('A', printer)
        ),
    );
    Ok((datasets, published_releases))
}

fn dataset_request(dataflow: &str, title: &str) -> DatasetRequest {
    let options = ImportOptions { format: Some(Format::Csv), ..ImportOptions::default() };
    DatasetRequest {
        options,
        dataflow: Some(dataflow.into()),
        title: Some(title.into()),
        ..Default::default()
    }
}

fn release_labels(dataflow: &str) -> Result<ReleaseLabels, CommandError> {
    Ok(ReleaseLabels {
        dataflow: Name::new(dataflow)?,
        vintage: Text::new(format::format_day(node::unix_seconds()))?,
        supersedes: None,
    })
}

/// Waits until B and C have verified and attested the releases, and A has received the attestations.
fn await_confirmations(
    cluster: &mut DemoCluster,
    published_releases: &[PublishedRelease],
    printer: &Printer,
) -> Result<(), CommandError> {
    let mut title = "verified";
    for claim in published_releases {
        let mut parts = Vec::new();
        for witness in ['B', 'C'] {
            let event = await_verdict(cluster, witness, claim.release)?;
            parts.push(format!("{} {}", styled_letter(witness, printer), format_verdict(&event, printer)?));
        }
        printer.print_field(title, format!("{:<13} {}", claim.dataflow, parts.join("   ")));
        title = "";
    }
    await_attestations(cluster, 'A', &["B", "C"], published_releases.len())?;
    Ok(())
}

fn await_verdict(
    cluster: &mut DemoCluster,
    witness: char,
    release: ReleaseId,
) -> Result<Value, CommandError> {
    let id = release.to_string();
    cluster.wait_for_event(&format!("node {witness} to verify a release"), |from, event| {
        from == witness && is_event(event, "verified") && text_field(event, "release") == id
    })
}

fn format_verdict(event: &Value, printer: &Printer) -> Result<String, CommandError> {
    let found = event.get("verdict").cloned().unwrap_or_default();
    let found: Verdict = serde_json::from_value(found).map_err(|error| {
        CommandError::new(ErrorCategory::Failure, "event", format!("invalid event of a node: {error}"))
    })?;
    let tone = if matches!(found, Verdict::Reproduced { .. }) { TextStyle::Good } else { TextStyle::Bad };
    Ok(match found {
        Verdict::Reproduced { cells, .. } => {
            format!("{} {cells} of {cells} cells", printer.style_text(tone, "reproduced"))
        }
        other => printer.style_text(tone, other),
    })
}

/// Waits until `node` has stored `count` attestations of each witness.
fn await_attestations(
    cluster: &mut DemoCluster,
    node: char,
    witnesses: &[&str],
    count: usize,
) -> Result<(), CommandError> {
    for witness in witnesses {
        let publisher = cluster.node(witness.chars().next().unwrap_or('?'))?.publisher.to_string();
        // Sequence number 0 is the genesis; the attestations follow it one by one.
        for seq in 1..=count {
            cluster.wait_for_event(&format!("node {node} to receive an attestation"), |from, event| {
                from == node
                    && is_event(event, "accepted")
                    && text_field(event, "kind") == "attestation"
                    && text_field(event, "publisher") == publisher
                    && event.get("seq").and_then(Value::as_u64) == Some(seq as u64)
            })?;
        }
    }
    Ok(())
}

/// Node B publishes the same recipe on the same data, with one figure falsified.
fn publish_falsified(
    cluster: &mut DemoCluster,
    datasets: &BTreeMap<&'static str, DatasetId>,
    published_releases: &[PublishedRelease],
    printer: &Printer,
) -> Result<ReleaseId, CommandError> {
    let mut backend = cluster.backend('B')?;
    let genuine = published_releases
        .iter()
        .find(|claim| claim.dataflow == "inflation")
        .ok_or_else(|| CommandError::not_found("inflation"))?;
    let dataset = *datasets.get("CPI").ok_or_else(|| CommandError::not_found("CPI"))?;
    let recipe = recipe_source::load_recipe("inflation/cpi-annual")?;
    let input = InputDataset::load(dataset, &backend.block_reader())?;
    let mut computed = submit::compute_figures(&recipe, BTreeMap::from([(Name::new("CPI")?, input)]))?;
    let mut change = String::new();
    for figures in computed.figures.values_mut() {
        let (table, before, after) = falsify_figure(&figures.table)?;
        let block =
            |id| figures.blocks.iter().find(|(block, _)| *block == id).map(|(_, bytes)| bytes.clone());
        // The code lists stay, so that the falsified content differs in one cell only.
        let (structure, _) = content::unpack_table(figures.content, block)
            .map_err(|error| CommandError::usage("content", error.to_string()))?;
        (figures.content, figures.blocks) = content::pack_table(&table, structure.codes)?;
        figures.table = table;
        change = format!("{before} becomes {after}");
    }
    let draft = computed.into_release(genuine.recipe, release_labels("inflation")?);
    let published = backend.publish_object(&draft.encode()?, draft.blocks)?;
    let (_, area, period, _) = FALSIFIED;
    printer.print_field(
        "falsified",
        format!(
            "{} publishes inflation too, with one falsified figure: {area} {period}, {change}",
            styled_letter('B', printer)
        ),
    );
    ReleaseId::try_from(published.object).map_err(|error| CommandError::usage("release", error.to_string()))
}

/// Returns the table with the falsified figure, and the figure before and after.
fn falsify_figure(table: &Table) -> Result<(Table, Decimal, Decimal), CommandError> {
    let (_, area, period, change) = FALSIFIED;
    let named = |row: &usize| {
        let key: Vec<String> = table.key(*row).iter().map(Cell::to_string).collect();
        key == [area, period]
    };
    let absent = || CommandError::not_found(format!("the figure of {area} in {period}"));
    let row = (0..table.rows()).find(named).ok_or_else(absent)?;
    let mut columns = table.columns().to_vec();
    let Some(Column::Number(values)) = columns.last_mut() else { return Err(absent()) };
    let cell = values.get_mut(row).ok_or_else(absent)?;
    let was = cell.ok_or_else(absent)?;
    // The change is in whole units, whatever the number of decimals.
    let unit = 10_i128.pow(was.decimal_places());
    let now = Decimal::new(was.coefficient() + i128::from(change) * unit, was.exponent())
        .map_err(|error| CommandError::usage("figure", error.to_string()))?;
    *cell = Some(now);
    let table = Table::new(table.shape().clone(), columns)
        .map_err(|error| CommandError::usage("figure", error.to_string()))?;
    Ok((table, was, now))
}

/// Waits until A and C have verified the falsified release; returns the cell that differs.
fn await_exposure(
    cluster: &mut DemoCluster,
    falsified: ReleaseId,
    printer: &Printer,
) -> Result<String, CommandError> {
    let mut title = "exposed";
    let mut cell = String::new();
    for witness in ['A', 'C'] {
        let event = await_verdict(cluster, witness, falsified)?;
        printer.print_field(
            title,
            format!("{} {}", styled_letter(witness, printer), format_verdict(&event, printer)?),
        );
        title = "";
        let found = event.pointer("/verdict/differs/first").cloned().unwrap_or_default();
        let found: schemas::verdict::Divergence = serde_json::from_value(found).map_err(|_| {
            CommandError::new(
                ErrorCategory::Failure,
                "demo",
                format!("node {witness} did not detect the falsified cell"),
            )
        })?;
        cell = found.to_string();
    }
    Ok(cell)
}

/// Prints the result, as node A has stored it, and commands to try next.
fn print_summary(
    cluster: &mut DemoCluster,
    published_releases: &[PublishedRelease],
    falsified: ReleaseId,
    cell: &str,
    keep: bool,
    printer: &Printer,
) -> Result<(), CommandError> {
    await_attestations(cluster, 'C', &["B"], published_releases.len())?;
    cluster.wait_for_event("node C to receive the last attestation", |from, event| {
        from == 'C' && is_event(event, "accepted") && text_field(event, "kind") == "attestation"
    })?;
    let backend = cluster.backend('A')?;
    let releases = backend.list_releases()?;
    let mut good = 0;
    for claim in published_releases {
        let info = find_release(&releases, claim.release)?;
        good += usize::from(
            info.attestations.len() == 2
                && info
                    .attestations
                    .iter()
                    .all(|said| matches!(said.attestation.verdict, Verdict::Reproduced { .. })),
        );
    }
    let bad = find_release(&releases, falsified)?;
    let (_, area, period, _) = FALSIFIED;
    let named = cell.contains(&format!("[{area}, {period}]"));
    let differs = matches!(bad.verdict, Some(Verdict::Differs { .. })) && named;
    printer.print_json(&json!({
        "reproduced": good, "releases": published_releases.len(), "witnesses": 2, "falsified": falsified, "exposed": differs, "cell": cell,
        "nodes": cluster.nodes.iter().map(|node| json!({
            "letter": node.letter, "name": node.name, "publisher": node.publisher, "api": node.api,
            "addresses": node.addresses, "data": node.home.path(),
        })).collect::<Vec<_>>(),
    }));
    printer.print_line("");
    printer.print_line(format_args!(
        "{good} releases {} by 2 of 2 other nodes",
        printer.style_text(TextStyle::Good, "reproduced")
    ));
    printer.print_line(format_args!(
        "1 falsified release {} at {cell}",
        printer.style_text(TextStyle::Bad, "differs")
    ));
    if good != published_releases.len() || !differs {
        return Err(CommandError::new(
            ErrorCategory::Failure,
            "demo",
            "the demonstration had an unexpected result",
        ));
    }
    suggest_next_steps(cluster, keep, printer)
}

fn find_release(releases: &[ReleaseInfo], id: ReleaseId) -> Result<&ReleaseInfo, CommandError> {
    releases.iter().find(|info| info.id == id).ok_or_else(|| CommandError::not_found(format!("release {id}")))
}

fn suggest_next_steps(cluster: &DemoCluster, keep: bool, printer: &Printer) -> Result<(), CommandError> {
    if !keep {
        printer.suggest_commands(&[
            "assay demo --keep".into(),
            "assay init --name \"Your institute\"".into(),
            "assay --help".into(),
        ]);
        return Ok(());
    }
    let (office, rival, witness) = (cluster.node('A')?, cluster.node('B')?, cluster.node('C')?);
    let data = witness.home.path().display();
    let address = |node: &DemoNode, rest: &str| format!("{SCHEME}{}/{rest}", node.publisher);
    printer.suggest_commands(&[
        format!("assay --data {data} show"),
        format!("assay --data {data} verify {}", address(office, "inflation/USA/2018")),
        format!("assay --data {data} verify {}    # exit code 3", address(rival, "inflation")),
        format!("assay --data {data} export {} -o gdp.car && assay verify gdp.car", address(office, "gdp")),
    ]);
    printer.print_line("");
    printer.print_field("dashboard", format!("{}/", witness.api));
    printer.print_line("the nodes run until Ctrl-C");
    Ok(())
}
