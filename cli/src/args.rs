//! Command-line arguments, declared with clap. The doc comments here are the help texts that users read.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

const AFTER: &str = "\
First steps:
  assay demo                                    see the whole workflow on this machine
  assay init --name \"My institute\"              become a publisher
  assay import API_FP.CPI.TOTL.csv              sign and publish a data set
  assay publish inflation --from FP.CPI.TOTL    compute, sign and publish figures
  assay verify assay://<publisher>/inflation    recompute a release, cell by cell

Exit codes:
  0 success   1 failure   2 invalid usage or input   3 a release differs
  4 signature or trust   5 not found   6 network   130 interrupted";

/// Help heading of the flags that every command accepts.
const EVERYWHERE: &str = "Global options";

/// Publish and verify economic statistics on a peer-to-peer ledger where every figure can be recomputed.
#[derive(Debug, Parser)]
#[command(name = "assay", version, after_help = AFTER, disable_help_subcommand = true)]
pub struct CommandLine {
    /// Flags that every command accepts.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command to run.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Choice of coloured output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// Only on a terminal, and not with `NO_COLOR`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Flags that every command accepts.
#[derive(Debug, Clone, clap::Args)]
pub struct GlobalArgs {
    /// Data directory [default: $XDG_DATA_HOME/assay].
    #[arg(long, global = true, env = "ASSAY_DATA_DIR", hide_env_values = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub data: Option<PathBuf>,
    /// Print one JSON document to stdout instead of text.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Print only results and errors.
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Colour the output: auto, always or never.
    #[arg(long, global = true, value_enum, default_value = "auto", hide_possible_values = true, help_heading = EVERYWHERE)]
    pub color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create a publisher identity: its keys and the first entry of its log.
    Init(InitArgs),
    /// Import a file or an online source, and publish it as a signed data set.
    Import(Box<ImportArgs>),
    /// Compare versions of a data set.
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// List, check, run and publish recipes.
    #[command(subcommand)]
    Recipe(RecipeCommand),
    /// Run a recipe on published data sets and publish the figures as a signed release.
    Publish(PublishArgs),
    /// Retract one of your own releases, with a reason.
    Retract(RetractArgs),
    /// Recompute a release and compare every cell.
    Verify(VerifyArgs),
    /// Show everything stored here, or one object by its address or id.
    Show(ShowArgs),
    /// Follow a publisher: replicate its log, then recompute and attest its releases.
    Follow(FollowArgs),
    /// Stop following a publisher.
    Unfollow(FollowArgs),
    /// List and add peers.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Run a node: replicate, verify, attest, and serve the dashboard and the local API.
    Node(NodeArgs),
    /// Write a bundle: one file with everything needed to verify an object offline.
    Export(ExportArgs),
    /// Check every block and index row of the data directory.
    Fsck(FsckArgs),
    /// Run three local nodes that publish, replicate and verify figures, and expose a falsified one.
    Demo(DemoArgs),
}

/// `assay init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The keys are created in the data directory and never leave it. Back them up: a lost key cannot be restored.

Examples:
  assay init --name \"Statistics Office\" --contact https://example.org")]
pub struct InitArgs {
    /// Name of the publisher, shown beside its figures.
    #[arg(long)]
    pub name: String,
    /// Web or mail address for questions.
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
  assay import worldbank FP.CPI.TOTL --country all          from the agency's API
  assay import bls CUUR0000SA0 --from 2000 --to 2025
  assay import ecb EXR M.USD.EUR.SP00.A
  assay import --check-source FP.CPI.TOTL                   has the source changed since it was signed?

Agencies: worldbank, fred, bls, eurostat, oecd, imf, ilo, ecb, insee. API keys are read from \
FRED_API_KEY, BLS_API_KEY, INSEE_API_KEY and IMF_API_KEY, a contact address for the agencies from \
ASSAY_CONTACT; they are never stored. An interrupted download resumes where it stopped.

Exit codes of --check-source: 0 unchanged, 3 changed, 5 gone.")]
pub struct ImportArgs {
    /// A file, followed by its further pages or code lists; or an agency, a code and an optional key;
    /// or an https URL. The format of a file is detected; name it before the file to choose it (fred,
    /// csv …).
    #[arg(required_unless_present = "check_source", num_args = 1.., value_name = "SOURCE")]
    pub source: Vec<String>,
    /// Fetch the source of a data set again, and report whether it is the same, changed or gone.
    #[arg(long, value_name = "DATASET", conflicts_with_all = ["source", "country", "from", "to", "dry_run", "force"])]
    pub check_source: Option<String>,
    /// Countries of a World Bank indicator, separated by semicolons, such as USA;FRA [default: all].
    #[arg(long, value_name = "CODES")]
    pub country: Option<String>,
    /// First year or period to request.
    #[arg(long, value_name = "PERIOD")]
    pub from: Option<String>,
    /// Last year or period to request.
    #[arg(long, value_name = "PERIOD")]
    pub to: Option<String>,
    /// Allow fetching from this host as well as from the agencies; can be repeated.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Name of the dataflow [default: the id that the source uses].
    #[arg(long, value_name = "NAME")]
    pub dataflow: Option<String>,
    /// Title of the data set [default: the title in the source].
    #[arg(long)]
    pub title: Option<String>,
    /// Unit of the figures, such as "per cent".
    #[arg(long)]
    pub unit: Option<String>,
    /// Area of a series that names none, such as one of FRED [default: USA].
    #[arg(long, value_name = "CODE")]
    pub area: Option<String>,
    /// Frequency, when the file does not state it: A, S, Q, M, W or D.
    #[arg(long, value_name = "CODE")]
    pub frequency: Option<String>,
    /// File with the code lists of the source, such as `Metadata_Country` of the World Bank; the same
    /// as a further file argument.
    #[arg(long, value_name = "FILE")]
    pub metadata: Vec<PathBuf>,
    /// Map a column of a CSV file or sheet to a component: `COMPONENT=COLUMN`, `COMPONENT:TYPE=COLUMN`
    /// or `COMPONENT="constant"`.
    #[arg(long, value_name = "MAP")]
    pub map: Vec<String>,
    /// TOML file that maps the columns of a CSV file or sheet, and names the spellings of missing
    /// values (`missing`, `zero_is_missing`).
    #[arg(long, value_name = "FILE", conflicts_with = "map")]
    pub mapping: Option<PathBuf>,
    /// URL that the file was downloaded from.
    #[arg(long)]
    pub url: Option<String>,
    /// Agency that published the file.
    #[arg(long)]
    pub agency: Option<String>,
    /// Licence of the file, such as CC-BY-4.0.
    #[arg(long)]
    pub licence: Option<String>,
    /// Sign the data as your own statement: the file is not published, and readers see that there is no
    /// document behind the figures.
    #[arg(long)]
    pub stated: bool,
    /// Sign despite plausibility warnings; the data set records them.
    #[arg(long)]
    pub force: bool,
    /// Read and show the file, but sign and store nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `assay dataset`.
#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Show the changes between two versions: data points added, removed and revised, and by how much.
    Diff(DatasetDiffArgs),
}

/// `assay dataset diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay dataset diff FP.CPI.TOTL                        the last two versions
  assay dataset diff FP.CPI.TOTL@first FP.CPI.TOTL
  assay dataset diff FP.CPI.TOTL@asof=2026-01-31 new.csv")]
pub struct DatasetDiffArgs {
    /// Data set by id, by name with an optional vintage (@first, @latest, @seq=N, @asof=DATE), or a file.
    pub before: String,
    /// Data set to compare with [default: compares the last two versions of BEFORE].
    pub after: Option<String>,
    /// Number of changes to show, the largest first.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub limit: usize,
}

/// `assay recipe`.
#[derive(Debug, Subcommand)]
pub enum RecipeCommand {
    /// List the recipes of the library and those stored here.
    List(RecipeList),
    /// Show a recipe: inputs, outputs, method, deviations with their reasons, and script.
    Show(RecipeShowArgs),
    /// Check a recipe without data: syntax, names, types and structures.
    Check(RecipeCheckArgs),
    /// Show the execution plan of a recipe: its steps, each with its structure.
    Explain(RecipeExplainArgs),
    /// Format scripts in the standard layout; comments are kept.
    Fmt(RecipeFmtArgs),
    /// Compare two recipes, and the figures that they compute.
    Diff(RecipeDiffArgs),
    /// Run a recipe on local files; nothing is signed or stored.
    Run(RecipeRunArgs),
    /// Sign and publish a recipe.
    Publish(RecipePublishArgs),
}

/// `assay recipe list`.
#[derive(Debug, clap::Args)]
pub struct RecipeList {
    /// Only recipes of this indicator: inflation, unemployment, gdp or indicators.
    pub indicator: Option<String>,
}

/// `assay recipe show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay recipe show inflation/cpi-12-month
  assay recipe show inflation/housing-alternative    an alternative method
  assay recipe show bafy…                            a published recipe")]
pub struct RecipeShowArgs {
    /// Name of a library recipe, recipe file (TOML), or id.
    pub recipe: String,
}

/// `assay recipe check`.
#[derive(Debug, clap::Args)]
pub struct RecipeCheckArgs {
    /// Name of a library recipe, recipe file (TOML), or script (.vtl).
    pub recipe: String,
    /// For a bare script: file that gives an input its structure: NAME=FILE.
    #[arg(long, value_name = "NAME=FILE")]
    pub input: Vec<String>,
}

/// `assay recipe explain`.
#[derive(Debug, clap::Args)]
pub struct RecipeExplainArgs {
    /// Name of a library recipe, recipe file (TOML), or script (.vtl).
    pub recipe: String,
    /// For a bare script: file that gives an input its structure: NAME=FILE.
    #[arg(long, value_name = "NAME=FILE")]
    pub input: Vec<String>,
}

/// `assay recipe fmt`.
#[derive(Debug, clap::Args)]
pub struct RecipeFmtArgs {
    /// Scripts (.vtl), or recipe files (TOML) that name them.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<std::path::PathBuf>,
    /// Write nothing; list the scripts that are not formatted, and exit with code 2 if there are any.
    #[arg(long)]
    pub check: bool,
}

/// `assay recipe diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay recipe diff inflation/cpi-12-month inflation/housing-alternative
  assay recipe diff inflation/cpi-annual my.toml --on CPI=cpi.csv --figure USA/2022")]
pub struct RecipeDiffArgs {
    /// Recipe to compare with: name of a library recipe, or recipe file (TOML).
    pub before: String,
    /// Recipe to compare, named in the same way.
    pub after: String,
    /// File for an input of either recipe. Both recipes are run and their figures compared.
    #[arg(long, value_name = "NAME=FILE")]
    pub on: Vec<String>,
    /// Output to compare [default: the first output of each recipe].
    #[arg(long, value_name = "OUTPUT", requires = "on")]
    pub output: Option<String>,
    /// Show the figures whose key begins with KEY, such as USA/2022 [default: the largest differences].
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
pub struct RecipeRunArgs {
    /// Name of a library recipe, recipe file (TOML), or script (.vtl).
    pub recipe: String,
    /// File for an input: NAME=FILE.
    #[arg(long, value_name = "NAME=FILE", required = true)]
    pub input: Vec<String>,
    /// Set a parameter to another value, in a copy of the script: BASE_YEAR=2010.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Print this output as CSV.
    #[arg(long, value_name = "OUTPUT")]
    pub csv: Option<String>,
}

/// `assay recipe publish`.
#[derive(Debug, clap::Args)]
pub struct RecipePublishArgs {
    /// Name of a library recipe, or recipe file (TOML).
    pub recipe: String,
    /// Set a parameter to another value: BASE_YEAR=2010. This makes a new recipe that records its
    /// deviation from the original.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// `assay publish`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay publish inflation --from FP.CPI.TOTL         chooses the recipe by the data
  assay publish inflation --from CPIAUCNS.csv        imports the file first
  assay publish inflation/cpi-annual --input FP.CPI.TOTL --dataflow inflation
  assay publish gdp/per-person --input GDP=NY.GDP.MKTP.CD@first --input POPULATION=SP.POP.TOTL
  assay publish inflation --from CPIAUCNS --reason source-revision")]
pub struct PublishArgs {
    /// Indicator (inflation, unemployment, gdp), name of a library recipe, recipe file (TOML), or id.
    /// For an indicator, the recipe is chosen by the structure and frequency of the data.
    pub recipe: String,
    /// Data set or file. It is assigned to the input that its columns, its frequency and its name
    /// fit; can be repeated.
    #[arg(long, value_name = "DATASET|FILE")]
    pub from: Vec<String>,
    /// Data set for an input, by id or dataflow: NAME=DATASET. NAME= can be omitted when the recipe
    /// has one input.
    #[arg(long, value_name = "[NAME=]DATASET")]
    pub input: Vec<String>,
    /// Set a parameter to another value: BASE_YEAR=2010. This makes a new recipe that records its
    /// deviation from the original; it needs its own `--dataflow`.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Dataflow that the figures belong to [default: derived from the recipe].
    #[arg(long, value_name = "NAME")]
    pub dataflow: Option<String>,
    /// Label of the vintage [default: the current day, such as 2026-11-22].
    #[arg(long)]
    pub vintage: Option<String>,
    /// Reason for superseding the previous release: source-revision, publisher-error, method, rebase
    /// or seasonal.
    #[arg(long)]
    pub reason: Option<String>,
    /// Run the recipe and show the figures, but sign and store nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `assay verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay verify assay://<publisher>/inflation/USA/2010
  assay verify bafyr4i…                 a release by its id
  assay verify inflation.car            a bundle, offline, without trusting any node

Exit codes: 0 holds; 3 a cell differs; 4 a signature or an object is not valid; 5 blocks are missing;
7 holds, but is retracted, superseded or contested; 1 could not be checked.")]
pub struct VerifyArgs {
    /// Address, id, or bundle file.
    pub target: String,
    /// Figure of a bundle, by key and period as in an address, such as USA/2010.
    #[arg(long, value_name = "KEY/PERIOD")]
    pub figure: Option<String>,
    /// Give up after this time: a recipe may be written to run for ever.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub max_seconds: u64,
}

/// `assay retract`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is deleted: the release stays in the log, marked as retracted, with the reason. Addresses
without a vintage then resolve to the release before it; `@seq=N` still resolves to this one.

Examples:
  assay retract assay://<publisher>/inflation --reason \"the March index was read twice\"")]
pub struct RetractArgs {
    /// Address or id of one of your own releases.
    pub target: String,
    /// Reason for the retraction; it is public.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Address or id of the release to use instead.
    #[arg(long, value_name = "TARGET")]
    pub replacement: Option<String>,
}

/// `assay show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay show
  assay show assay://<publisher>/inflation/USA/2010
  assay show bafyr4i… --csv")]
pub struct ShowArgs {
    /// Address or id [default: an overview of everything stored].
    pub target: Option<String>,
    /// Print all rows of the release or data set as CSV.
    #[arg(long)]
    pub csv: bool,
    /// Write the source document with this snapshot id to a file (`-`: standard output).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `assay follow` and `assay unfollow`.
#[derive(Debug, clap::Args)]
pub struct FollowArgs {
    /// Id of the publisher, as `assay init` and `assay show` print it.
    pub publisher: String,
}

/// `assay peer`.
#[derive(Debug, Subcommand)]
pub enum PeerCommand {
    /// List the known peers and whether they are connected.
    List,
    /// Add a peer to the known ones, and connect to it if a node is running.
    Add(PeerAddArgs),
}

/// `assay peer add`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay peer add /ip4/192.0.2.1/tcp/7170")]
pub struct PeerAddArgs {
    /// Multiaddress of the peer, such as /ip4/192.0.2.1/tcp/7170/p2p/12D3….
    pub address: String,
}

/// `assay node`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay node
  assay node --peer /ip4/192.0.2.1/tcp/7170 --api 127.0.0.1:8080

Logs go to stderr; set their level with ASSAY_LOG, such as ASSAY_LOG=info.")]
pub struct NodeArgs {
    /// Multiaddress to listen on; can be repeated [default: TCP and QUIC on port 7170 of every
    /// interface].
    #[arg(long, value_name = "MULTIADDR")]
    pub listen: Vec<String>,
    /// Peer to stay connected to; can be repeated.
    #[arg(long, value_name = "MULTIADDR")]
    pub peer: Vec<String>,
    /// Loopback address of the dashboard and the API; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:7171", value_name = "ADDRESS")]
    pub api: SocketAddr,
    /// Do not recompute and attest the releases of others.
    #[arg(long)]
    pub no_attest: bool,
    /// Stop when standard input closes, that is when the parent process ends.
    #[arg(long, hide = true)]
    pub with_parent: bool,
}

/// `assay export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay export assay://<publisher>/inflation -o inflation.car
  assay verify inflation.car")]
pub struct ExportArgs {
    /// Address or id of a release, data set or recipe.
    pub target: String,
    /// File to write, such as inflation.car.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `assay fsck`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay fsck
  assay fsck --rebuild-index")]
pub struct FsckArgs {
    /// Rebuild the index from the archive before checking it.
    #[arg(long)]
    pub rebuild_index: bool,
}

/// `assay demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Keep the nodes and their dashboard running until Ctrl-C, as is the default on a terminal.
    #[arg(long)]
    pub keep: bool,
}
