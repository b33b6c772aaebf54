//! Catalogue of flows: published outputs with coverage and standing.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemas::address::{Address, Vintage};
use schemas::cid::{ContentId, PublisherId, RecipeId, ReleaseId};
use schemas::object::Recipe;
use schemas::text::Name;
use schemas::verdict::Verdict;
use serde::Serialize;
use service::query::{LedgerQuery, LogInfo, ReleaseInfo, last_superseding};
use service::standing::{RetractionNotice, RootStanding, SupersessionNotice};
use service::{Error, OutputStanding, OutputStandings, Storage};

use super::figure_table::FigureTable;

/// One output of the latest release of a publisher's dataflow.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Flow {
    pub(crate) publisher: PublisherId,
    pub(crate) publisher_name: String,
    pub(crate) dataflow: Name,
    pub(crate) indicator: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) unit: String,
    /// Whether the recipe deviates from no other recipe.
    pub(crate) official: bool,
    /// Whether this node signs for the publisher.
    pub(crate) own: bool,
    pub(crate) recipe: RecipeId,
    pub(crate) release: ReleaseId,
    pub(crate) seq: u64,
    /// Permanent address of the release.
    pub(crate) address: Address,
    pub(crate) output: Name,
    /// Title of the output in the recipe.
    pub(crate) output_title: String,
    /// Number of listed outputs of the dataflow. If above 1, a URL has to name the output.
    pub(crate) outputs: usize,
    pub(crate) vintage: String,
    /// Time of the signature; seconds since 1970.
    pub(crate) published: i64,
    #[serde(flatten)]
    pub(crate) summary: FlowCoverage,
    /// Verdict of this node.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) standing: OutputStanding,
    /// Whether the publisher signed two conflicting histories.
    pub(crate) forked: bool,
    pub(crate) retracted: Option<RetractionNotice>,
    /// Number of releases of the dataflow.
    pub(crate) vintages: usize,
    #[serde(skip)]
    pub(crate) content: ContentId,
    /// Standings of its figures.
    #[serde(skip)]
    pub(crate) standings: Arc<OutputStandings>,
}

/// Coverage of a flow.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FlowCoverage {
    /// Id of the measure.
    #[serde(skip)]
    pub(crate) measure: Name,
    pub(crate) dimensions: Vec<String>,
    /// Number of series.
    pub(crate) series: usize,
    pub(crate) first_period: String,
    pub(crate) last_period: String,
    pub(crate) frequency: String,
}

impl FlowCoverage {
    /// Returns `None` for tables without time or without a numeric measure.
    pub(crate) fn from_table(figures: &FigureTable) -> Option<Self> {
        let measure = Name::new(figures.measure_id()?).ok()?;
        let (first, last) = (figures.periods.first()?, figures.periods.last()?);
        Some(Self {
            measure,
            dimensions: figures.dimension_ids(),
            series: figures.series.len(),
            first_period: first.to_string(),
            last_period: last.to_string(),
            frequency: last.frequency().code().to_owned(),
        })
    }
}

/// All flows, and the releases of their dataflows.
pub(crate) struct Catalogue {
    pub(crate) flows: Vec<Flow>,
    /// Releases of each dataflow, ascending by sequence number.
    pub(crate) vintages: BTreeMap<(PublisherId, Name), Vec<ReleaseInfo>>,
    pub(crate) logs: BTreeMap<PublisherId, LogInfo>,
}

impl Catalogue {
    pub(crate) fn new<K: Storage>(
        query: &LedgerQuery<'_, K>,
        releases: Vec<ReleaseInfo>,
        mut summary: impl FnMut(ContentId) -> Option<Arc<FlowCoverage>>,
    ) -> Result<Self, Error> {
        let logs: BTreeMap<_, _> = query.list_logs()?.into_iter().map(|log| (log.publisher, log)).collect();
        let mut vintages: BTreeMap<(PublisherId, Name), Vec<ReleaseInfo>> = BTreeMap::new();
        for info in releases {
            let position = (info.position.publisher, info.release.dataflow.clone());
            vintages.entry(position).or_default().push(info);
        }
        let mut flows = Vec::new();
        for ((publisher, dataflow), releases) in &mut vintages {
            releases.sort_by_key(|info| info.position.seq);
            // The latest release that is not retracted; if all are, the last one.
            let stands = |info: &&ReleaseInfo| info.retracted.is_none();
            let Some(latest) = releases.iter().rfind(stands).or(releases.last()) else { continue };
            let recipe: Recipe = query.read_object(latest.release.recipe.cid())?;
            let before = flows.len();
            for (output, content) in &latest.release.results {
                let Some(summary) = summary(*content).map(|summary| (*summary).clone()) else { continue };
                let output_info = recipe.outputs.get(output);
                let root = root_standing(query, latest, releases)?;
                let standings = query.output_standings_under(root, latest, output, &summary.measure)?;
                flows.push(Flow {
                    publisher: *publisher,
                    publisher_name: latest.position.name.clone(),
                    dataflow: dataflow.clone(),
                    indicator: latest.indicator.clone(),
                    title: latest.title.clone(),
                    description: recipe.description.to_string(),
                    unit: output_info.map(|output_info| output_info.unit.to_string()).unwrap_or_default(),
                    official: recipe.deviates_from.is_none(),
                    own: logs.get(publisher).is_some_and(|log| log.own),
                    recipe: latest.release.recipe,
                    release: latest.id,
                    seq: latest.position.seq,
                    address: Address::new(*publisher, dataflow.clone())
                        .with_vintage(Vintage::Seq(latest.position.seq)),
                    output: output.clone(),
                    output_title: output_info
                        .map(|output_info| output_info.title.to_string())
                        .unwrap_or_default(),
                    outputs: 0,
                    vintage: latest.release.vintage.to_string(),
                    published: latest.position.time,
                    summary,
                    verdict: latest.verdict.clone(),
                    standing: standings.summary(),
                    forked: logs.get(publisher).is_some_and(|log| log.forked),
                    retracted: latest.retracted.clone(),
                    vintages: releases.len(),
                    content: *content,
                    standings: Arc::new(standings),
                });
            }
            // Outputs that are not listed do not count: no URL needs to tell them apart.
            let outputs = flows.len() - before;
            flows.iter_mut().skip(before).for_each(|flow: &mut Flow| flow.outputs = outputs);
        }
        Ok(Self { flows, vintages, logs })
    }

    /// Returns the flow of an output, or the first flow of the dataflow if that output is not listed.
    pub(crate) fn find_flow(&self, publisher: PublisherId, dataflow: &Name, output: &Name) -> Option<&Flow> {
        let same = |flow: &&Flow| flow.publisher == publisher && flow.dataflow == *dataflow;
        let mut flows = self.flows.iter().filter(same);
        flows.clone().find(|flow| flow.output == *output).or_else(|| flows.next())
    }
}

/// Unit suffixes that state a rate, and the period that they refer to.
const RATE_SUFFIXES: [(&str, &str); 6] = [
    (" a year", "year"),
    (" per year", "year"),
    (" per annum", "year"),
    (" on the year before", "year"),
    (" a quarter", "quarter"),
    (" a month", "month"),
];

/// Whether values in two units can be subtracted: equal units, of which one may omit the rate; or shares
/// of two bases, of which one extends the other.
pub(crate) fn comparable_units(a: &str, b: &str) -> bool {
    let ((a, often_a), (b, often_b)) = (split_rate(a), split_rate(b));
    let widens = |narrow: &str, wide: &str| {
        let share = narrow.starts_with("per cent of ");
        share && wide.strip_prefix(narrow).is_some_and(|more| more.starts_with(" and "))
    };
    let agree = often_a.is_none() || often_b.is_none() || often_a == often_b;
    agree && (a == b || widens(&a, &b) || widens(&b, &a))
}

/// Splits a unit into its text and its rate.
fn split_rate(unit: &str) -> (String, Option<&'static str>) {
    // Both spellings of per cent occur in sources.
    let unit = unit.trim().to_lowercase().replace("percent", "per cent");
    let cut =
        RATE_SUFFIXES.iter().find_map(|(words, often)| Some((unit.strip_suffix(words)?.to_owned(), *often)));
    cut.map_or((unit, None), |(unit, often)| (unit, Some(often)))
}

/// The standing of a release among the releases of its dataflow.
fn root_standing<K: Storage>(
    query: &LedgerQuery<'_, K>,
    info: &ReleaseInfo,
    releases: &[ReleaseInfo],
) -> Result<RootStanding, Error> {
    let vintage = |one: &ReleaseInfo| {
        (one.position.seq, one.id, one.release.supersedes.as_ref().map(|before| before.release))
    };
    let superseded = last_superseding(info, releases.iter().map(vintage)).and_then(|(seq, id)| {
        let later = releases.iter().find(|one| one.id == id)?;
        Some(SupersessionNotice { release: id.cid(), seq, time: later.position.time })
    });
    Ok(RootStanding { superseded, ..query.release_statements(info)? })
}

#[cfg(test)]
mod tests {
    use super::comparable_units;

    #[test]
    fn units_are_alike_but_for_how_often() {
        for (a, b, expected) in [
            ("per cent", "per cent a year", true),
            ("Percent per annum", "per cent a year", true),
            ("per cent a month", "per cent a year", false),
            ("per cent of the labour force", "per cent of the labour force and discouraged workers", true),
            ("per cent", "per cent of the labour force", false),
            ("per cent of the labour force", "per cent of the population of working age", false),
            ("per cent", "percentage points", false),
            ("currency of the GDP, per person", "per cent", false),
            ("index", "index and more", false),
        ] {
            assert_eq!((comparable_units(a, b), comparable_units(b, a)), (expected, expected), "{a} and {b}");
        }
    }
}
