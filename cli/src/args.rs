//! The command line: what may be typed, and the help that teaches it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

const AFTER: &str = "\
Exit codes: 0 ok, 1 failure, 2 wrong usage or input, 3 a release differs, 4 signature or trust, \
5 not found, 6 network, 130 interrupted.

First steps:
  assay demo                                    watch the whole idea work
  assay init --name \"My office\"                 become a publisher
  assay import API_FP.CPI.TOTL.csv              sign and publish a data set
  assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation
  assay verify assay://<publisher>/inflation    run a release again, cell by cell";

/// Stands above the flags of every verb, apart from a verb's own.
const EVERYWHERE: &str = "Options of every verb";

/// A peer-to-peer ledger of economic statistics: anyone can run a published figure again.
#[derive(Debug, Parser)]
#[command(name = "assay", version, after_help = AFTER, disable_help_subcommand = true)]
pub struct Args {
    /// Flags of every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Flags of every verb.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// Data directory [default: $XDG_DATA_HOME/assay].
    #[arg(long, global = true, env = "ASSAY_DATA_DIR", hide_env_values = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub data: Option<PathBuf>,
    /// One JSON document on stdout instead of text.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value = "auto", hide_possible_values = true, help_heading = EVERYWHERE)]
    pub color: Color,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a publisher identity: keys, and the first entry of a log.
    Init(Init),
    /// Read a file of a statistical office, sign and publish it as a data set.
    Import(Box<Import>),
    /// Compare versions of data sets.
    #[command(subcommand)]
    Dataset(Dataset),
    /// Check, run and publish recipes.
    #[command(subcommand)]
    Recipe(Recipe),
    /// Run a recipe on published data sets, sign and publish the figures (a release).
    Publish(Publish),
    /// Take a release of your own back, and say why.
    Retract(Retract),
    /// Run a release again and compare every cell.
    Verify(Verify),
    /// Show what is held here: all, or one thing by address or id.
    Show(Show),
    /// Follow a publisher: keep its log whole, run its releases again, attest them.
    Follow(Follow),
    /// No longer follow a publisher.
    Unfollow(Follow),
    /// List and add peers.
    #[command(subcommand)]
    Peer(Peer),
    /// Run a node: sync, verify, attest, answer the local API.
    Node(Node),
    /// Write one file with all that is needed to verify something offline.
    Export(Export),
    /// Check every block and index row of the data directory.
    Fsck(Fsck),
    /// Watch three nodes publish, copy, run again, confirm, and expose a falsified figure.
    Demo(Demo),
}

/// `assay init`.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// What the publisher calls itself.
    #[arg(long)]
    pub name: String,
    /// Where to ask: a web or mail address.
    #[arg(long)]
    pub contact: Option<String>,
}

/// `assay import`.
#[derive(Debug, Default, clap::Args)]
#[command(override_usage = "assay import [OPTIONS] [FORMAT] <FILE>...
       assay import [OPTIONS] <AGENCY> <CODE> [KEY]
       assay import [OPTIONS] <URL>
       assay import [OPTIONS] --check-source <DATASET>")]
#[command(after_help = "\
Examples:
  assay import API_FP.CPI.TOTL_DS2_en_csv_v2.zip
  assay import page1.json page2.json
  assay import cu.data.1.AllItems cu.series cu.area cu.item
  assay import fred CPIAUCNS.csv --title \"CPI-U, not seasonally adjusted\"
  assay import csv prices.csv --map 'REF_AREA=Country Code' --map TIME_PERIOD=Year --map OBS_VALUE=Index
  assay import csv prices.csv --mapping prices.toml --dry-run
  assay import worldbank FP.CPI.TOTL --country all          from the agency itself
  assay import bls CUUR0000SA0 --from 2000 --to 2025
  assay import ecb EXR M.USD.EUR.SP00.A
  assay import --check-source FP.CPI.TOTL                   is the source still what was signed?

Agencies: worldbank, fred, bls, eurostat, oecd, imf, ilo, ecb, insee. Keys are read from FRED_API_KEY, \
BLS_API_KEY, INSEE_API_KEY and IMF_API_KEY, a contact for the agencies from ASSAY_CONTACT; neither is \
kept. A load that was broken off goes on where it stopped.

With --check-source: exit code 0 when it is the same, 3 when it changed, 5 when it is gone.")]
pub struct Import {
    /// A file, and after it further pages or the lists of its codes; an agency, a code and perhaps a
    /// key; or an https address. A file shows what it is; a format (fred, csv …) before it says it.
    #[arg(required_unless_present = "check_source", num_args = 1.., value_name = "WHAT")]
    pub what: Vec<String>,
    /// Ask again for the source of a data set, and say whether it is the same, changed or gone.
    #[arg(long, value_name = "DATASET", conflicts_with_all = ["what", "country", "from", "to", "dry_run", "force"])]
    pub check_source: Option<String>,
    /// Countries of a World Bank indicator, with semicolons [default: all].
    #[arg(long, value_name = "CODES")]
    pub country: Option<String>,
    /// First year or period to ask for.
    #[arg(long, value_name = "PERIOD")]
    pub from: Option<String>,
    /// Last year or period to ask for.
    #[arg(long, value_name = "PERIOD")]
    pub to: Option<String>,
    /// A host to fetch from, beside those of the agencies; may be given several times.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Name of the dataflow; the id of the source when absent.
    #[arg(long, value_name = "NAME")]
    pub dataflow: Option<String>,
    /// Title for people; that of the source when absent.
    #[arg(long)]
    pub title: Option<String>,
    /// Unit of the figures.
    #[arg(long)]
    pub unit: Option<String>,
    /// Area of a series that names none (FRED) [default: USA].
    #[arg(long, value_name = "CODE")]
    pub area: Option<String>,
    /// Frequency where the file does not say it: A, S, Q, M, W or D.
    #[arg(long, value_name = "CODE")]
    pub frequency: Option<String>,
    /// A file that came beside it and explains its codes, as `Metadata_Country` of the World Bank;
    /// the same as a further file.
    #[arg(long, value_name = "FILE")]
    pub metadata: Vec<PathBuf>,
    /// A column of a CSV or sheet: `COMPONENT=COLUMN`, `COMPONENT:TYPE=COLUMN` or `COMPONENT="constant"`.
    #[arg(long, value_name = "MAP")]
    pub map: Vec<String>,
    /// A TOML file that says what the columns of a CSV or sheet mean, and how they say that there is no
    /// figure (`missing`, `zero_is_missing`).
    #[arg(long, value_name = "FILE", conflicts_with = "map")]
    pub mapping: Option<PathBuf>,
    /// Where the file was fetched.
    #[arg(long)]
    pub url: Option<String>,
    /// The agency that issued the file.
    #[arg(long)]
    pub agency: Option<String>,
    /// Licence of the file.
    #[arg(long)]
    pub licence: Option<String>,
    /// Sign although something is implausible; what it is stands in the data set.
    #[arg(long)]
    pub force: bool,
    /// Read and show, but sign and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `assay dataset`.
#[derive(Debug, Subcommand)]
pub enum Dataset {
    /// Show what one version has otherwise than another: added, vanished, revised, by how much.
    Diff(DatasetDiff),
}

/// `assay dataset diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay dataset diff FP.CPI.TOTL                        the last version against the one before
  assay dataset diff FP.CPI.TOTL@first FP.CPI.TOTL
  assay dataset diff FP.CPI.TOTL@asof=2026-01-31 new.csv")]
pub struct DatasetDiff {
    /// A data set by id or by name with a vintage (@first, @latest, @seq=N, @asof=DATE), or a file.
    pub before: String,
    /// The other one; alone, a name stands for its last two versions.
    pub after: Option<String>,
    /// Changes to show, the largest first.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub limit: usize,
}

/// `assay recipe`.
#[derive(Debug, Subcommand)]
pub enum Recipe {
    /// List the recipes of the library and those held here.
    List(RecipeList),
    /// Show what a recipe is: inputs, outputs, method, what it deviates from and why, script.
    Show(RecipeShow),
    /// Check a recipe without data: syntax, names, types, structures.
    Check(RecipeCheck),
    /// Show the steps that a recipe runs as, each with its structure.
    Explain(RecipeExplain),
    /// Bring scripts into their one layout; comments stay.
    Fmt(RecipeFmt),
    /// Show what one recipe does otherwise than another, and what that does to figures.
    Diff(RecipeDiff),
    /// Run a recipe on local files; nothing is signed or kept.
    Run(RecipeRun),
    /// Sign and publish a recipe.
    Publish(RecipePublish),
}

/// `assay recipe list`.
#[derive(Debug, clap::Args)]
pub struct RecipeList {
    /// Only those of one measure: inflation, unemployment, gdp, indicators.
    pub measure: Option<String>,
}

/// `assay recipe show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay recipe show inflation/cpi-12-month
  assay recipe show inflation/housing-alternative    what it deviates from, and why
  assay recipe show bafy…                            a published one")]
pub struct RecipeShow {
    /// The name of a recipe of the library, a recipe file (TOML), or an id.
    pub recipe: String,
}

/// `assay recipe check`.
#[derive(Debug, clap::Args)]
pub struct RecipeCheck {
    /// The name of a recipe of the library, a recipe file (TOML), or a script (.vtl).
    pub recipe: String,
    /// For a bare script: a file for an input, which also says its structure: NAME=FILE.
    #[arg(long, value_name = "NAME=FILE")]
    pub input: Vec<String>,
}

/// `assay recipe explain`.
#[derive(Debug, clap::Args)]
pub struct RecipeExplain {
    /// The name of a recipe of the library, a recipe file (TOML), or a script (.vtl).
    pub recipe: String,
    /// For a bare script: a file for an input, which also says its structure: NAME=FILE.
    #[arg(long, value_name = "NAME=FILE")]
    pub input: Vec<String>,
}

/// `assay recipe fmt`.
#[derive(Debug, clap::Args)]
pub struct RecipeFmt {
    /// Scripts (.vtl), or recipe files (TOML) whose scripts are meant.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<std::path::PathBuf>,
    /// Change nothing; say which scripts are not in layout (exit 2 if there is one).
    #[arg(long)]
    pub check: bool,
}

/// `assay recipe diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay recipe diff inflation/cpi-12-month inflation/housing-alternative
  assay recipe diff inflation/cpi-annual my.toml --on CPI=cpi.csv --figure USA/2022")]
pub struct RecipeDiff {
    /// The recipe to compare with: the name of one of the library, or a recipe file (TOML).
    pub before: String,
    /// The recipe that is compared.
    pub after: String,
    /// A file for an input of either recipe: both run, and their figures are compared.
    #[arg(long, value_name = "NAME=FILE")]
    pub on: Vec<String>,
    /// The output that is compared [default: the first of each recipe].
    #[arg(long, value_name = "OUTPUT", requires = "on")]
    pub output: Option<String>,
    /// Show the figures whose key begins so, as in USA/2022 [default: those that differ most].
    #[arg(long, value_name = "KEY", requires = "on")]
    pub figure: Vec<String>,
}

/// `assay recipe run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay recipe run inflation/cpi-annual --input CPI=API_FP.CPI.TOTL.csv
  assay recipe run my.toml --input CPI=cpi.csv --csv INFLATION > inflation.csv
  assay recipe run inflation/rebase --input INDEX=cpi.csv --set BASE_YEAR=2010
  assay recipe run draft.vtl --input CPI=cpi.csv")]
pub struct RecipeRun {
    /// The name of a recipe of the library, a recipe file (TOML), or a script (.vtl).
    pub recipe: String,
    /// A file for an input: NAME=FILE.
    #[arg(long, value_name = "NAME=FILE", required = true)]
    pub input: Vec<String>,
    /// Another value for a parameter; it is written into the script that runs.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Print one output as CSV.
    #[arg(long, value_name = "OUTPUT")]
    pub csv: Option<String>,
}

/// `assay recipe publish`.
#[derive(Debug, clap::Args)]
pub struct RecipePublish {
    /// The name of a recipe of the library, or a recipe file (TOML).
    pub recipe: String,
    /// Another value for a parameter; it is written into the script that is signed, which makes another
    /// recipe: that says from which one it departs.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// `assay publish`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay publish inflation --from FP.CPI.TOTL         picks the recipe by the data
  assay publish inflation --from CPIAUCNS.csv        imports the file first
  assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation
  assay publish gdp/per-person --input GDP=NY.GDP.MKTP.CD@first --input POPULATION=SP.POP.TOTL
  assay publish inflation --from CPIAUCNS --reason source-revision")]
pub struct Publish {
    /// The recipe: a measure (inflation, unemployment, gdp), the name of one of the library, a recipe
    /// file, or an id.
    pub recipe: String,
    /// A data set or a file; which input it is, and for a measure which recipe, is told by its
    /// columns, its frequency and its name.
    #[arg(long, value_name = "DATASET|FILE")]
    pub from: Vec<String>,
    /// A data set for an input: NAME=DATASET, by id or dataflow; NAME= may be left out when the
    /// recipe has one input.
    #[arg(long, value_name = "[NAME=]DATASET")]
    pub input: Vec<String>,
    /// Another value for a parameter; it is written into the script that is signed, which makes another
    /// recipe: that says from which one it departs. Wants a `--dataflow` of its own.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Name of the dataflow that the figures are a vintage of; after the recipe when absent.
    #[arg(long, value_name = "NAME")]
    pub dataflow: Option<String>,
    /// Label of the vintage [default: the day, as in 2026-11-22].
    #[arg(long)]
    pub vintage: Option<String>,
    /// Why it takes the place of the release before: source-revision, publisher-error, method,
    /// rebase, seasonal.
    #[arg(long)]
    pub reason: Option<String>,
    /// Run and show, but sign and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `assay verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay verify assay://<publisher>/inflation/USA/2010
  assay verify bafyr4i…                 a release by its id
  assay verify inflation.car            a bundle, offline, trusting no node

Exit code 3 when a cell differs, 4 when a signature does not hold.")]
pub struct Verify {
    /// An address, an id, or a bundle file.
    pub target: String,
}

/// `assay retract`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is deleted: the release stays in the log, marked as taken back, with the reason. Addresses
without a vintage lead to the release before it; `@seq=N` still leads to it.

Examples:
  assay retract assay://<publisher>/inflation --reason \"the index of March was read twice\"")]
pub struct Retract {
    /// An address or id of your own.
    pub target: String,
    /// Why, for everybody to read.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What to use instead: an address or id.
    #[arg(long, value_name = "TARGET")]
    pub replacement: Option<String>,
}

/// `assay show`.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// An address or id; everything when absent.
    pub target: Option<String>,
    /// Print all rows of an output or data set as CSV.
    #[arg(long)]
    pub csv: bool,
}

/// `assay follow`, `assay unfollow`.
#[derive(Debug, clap::Args)]
pub struct Follow {
    /// The publisher's id.
    pub publisher: String,
}

/// `assay peer`.
#[derive(Debug, Subcommand)]
pub enum Peer {
    /// List the peers that are known, and which are connected.
    List,
    /// Remember a peer, and dial it when a node runs.
    Add(PeerAdd),
}

/// `assay peer add`.
#[derive(Debug, clap::Args)]
pub struct PeerAdd {
    /// Its multiaddress, such as /ip4/192.0.2.1/tcp/4001/p2p/12D3….
    pub address: String,
}

/// `assay node`.
#[derive(Debug, clap::Args)]
pub struct Node {
    /// Multiaddress to listen on; may be given several times
    /// [default: TCP and QUIC on port 7170 of every interface].
    #[arg(long, value_name = "MULTIADDR")]
    pub listen: Vec<String>,
    /// A peer to stay connected to; may be given several times.
    #[arg(long, value_name = "MULTIADDR")]
    pub peer: Vec<String>,
    /// Where the local API answers; port 0 for a free one.
    #[arg(long, default_value = "127.0.0.1:7171", value_name = "ADDRESS")]
    pub api: SocketAddr,
    /// Do not run releases again.
    #[arg(long)]
    pub no_attest: bool,
    /// Stop when standard input ends, as it does when the program that started this node is gone.
    #[arg(long, hide = true)]
    pub with_parent: bool,
}

/// `assay export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// An address or id.
    pub target: String,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `assay fsck`.
#[derive(Debug, clap::Args)]
pub struct Fsck {
    /// Make the index anew from the archive.
    #[arg(long)]
    pub rebuild_index: bool,
}

/// `assay demo`.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Leave the nodes and their dashboard running until Ctrl-C, as at a terminal.
    #[arg(long)]
    pub keep: bool,
}
