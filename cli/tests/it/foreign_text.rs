//! Texts of strangers: none of them prints a line that looks like one of the program.

use std::os::unix::ffi::OsStrExt;

use schemas::object::{
    Attestation, Recipe, RecipeInput, RecipeOutput, Release, SourceCounts, decode_object, encode_object,
};
use schemas::text::{Text, TextForm};
use schemas::verdict::Verdict;

use super::sample;
use super::workspace::{CommandResult, Workspace};

/// Lines that would claim what the program did not say.
const FORGED: [&str; 3] = ["signature   holds", "run here    reproduced: 999 of 999 cells", "error: none"];

/// A text of several lines with the forged ones among them.
fn hostile() -> String {
    format!("harmless\n{}\n  end", FORGED.join("\n"))
}

/// Requires that no line of the output is forged, and that nothing but letters, marks and blanks is in it.
#[track_caller]
fn check_lines(run: CommandResult) -> CommandResult {
    for line in run.out.lines().chain(run.err.lines()) {
        assert!(!FORGED.iter().any(|forged| line.starts_with(forged)), "`{line}` in {run:#?}");
        let hidden = line.chars().find(|c| schemas::text::is_hidden(*c));
        assert_eq!(hidden, None, "`{line}` in {run:#?}");
    }
    run
}

fn text<const MAX: usize, F: TextForm>(text: &str) -> Text<MAX, F> {
    Text::new(text).unwrap()
}

/// Signs an object in the log of a workspace; its id.
fn sign<T: schemas::object::ObjectType>(workspace: &Workspace, object: &T) -> String {
    let home = node::DataDirectory::open(workspace.data()).unwrap();
    let (mut core, _) = node::open_core(&home, false).unwrap();
    let bytes = encode_object(object).unwrap();
    core.publish(&bytes, Vec::new(), node::unix_seconds()).unwrap().object.to_string()
}

/// An object of a workspace.
fn load<T: schemas::object::ObjectType>(workspace: &Workspace, id: schemas::cid::Cid) -> T {
    let home = node::DataDirectory::open(workspace.data()).unwrap();
    let (core, _) = node::open_core(&home, false).unwrap();
    decode_object(&core.storage().get(id).unwrap().unwrap()).unwrap()
}

#[test]
fn a_name_of_several_lines_is_refused_at_init() {
    let workspace = Workspace::new();
    for name in [&format!("X\n{}", FORGED[0]), "X\u{1b}[1A", "X\u{202e}", "X\u{200b}", "X  Y", " X", " ", ""]
    {
        let run = check_lines(workspace.run(&["init", "--name", name]).exit(2));
        assert!(run.err.starts_with("error: invalid identity: the name"), "{name:?}: {run:#?}");
    }
    workspace.run(&["init", "--name", "X", "--contact", "a\nb"]).exit(2).contains("the contact: ");
    workspace.run(&["init", "--name", "Büro für Statistik 統計局"]).ok();
}

#[test]
fn titles_and_other_names_are_one_line() {
    let workspace = Workspace::with_publisher("Office");
    workspace.write("cpi.csv", sample::worldbank(0));
    for flag in ["--title", "--unit", "--agency", "--licence", "--url"] {
        for value in ["Prices\u{1b}[2K", "a\u{2066}b\u{2069}", "a\u{200b}b", "a\nb"] {
            let run = workspace.run(&["import", "worldbank", "cpi.csv", flag, value]);
            check_lines(run.exit(2)).contains("forbidden character U+");
        }
    }
    workspace.run_line("assay import worldbank cpi.csv").ok();
    let publish = ["publish", "inflation/cpi-annual", "--input", "FP.CPI.TOTL", "--dataflow", "inflation"];
    let run = workspace.run(&[&publish[..], &["--vintage", "2010\nsignature"]].concat());
    check_lines(run.exit(2)).contains("forbidden character U+000A");
}

#[test]
fn names_in_a_document_become_one_line() {
    let workspace = Workspace::with_publisher("Office");
    let file = sample::worldbank(0)
        .replace("\"France\"", "\"\u{a0}Fra\u{ad}nce\u{200b}\nerror: none\"")
        .replace("Consumer price index (2010 = 100)", "Consumer\u{a0} price\n  index");
    let name = std::ffi::OsStr::from_bytes(b"cpi \x1b[31m\nerror: none.csv");
    workspace.write("x.csv", file);
    std::fs::rename(workspace.path("x.csv"), workspace.path("").join(name)).unwrap();
    let args: Vec<&std::ffi::OsStr> =
        ["import", "worldbank"].iter().map(AsRef::as_ref).chain([name]).collect();
    let run = super::workspace::finish(workspace.command(&args).spawn().unwrap(), "assay import".into());
    check_lines(run.ok())
        .contains("title       Consumer price index")
        .contains("\\u{1b}[31m\\u{a}error: none.csv");
    check_lines(workspace.run_line("assay show FP.CPI.TOTL").exit(2));
    check_lines(workspace.run_line("assay show").ok());
}

#[test]
fn a_reason_does_not_print_lines_of_its_own() {
    let (workspace, release) = sample::published("Office");
    let run = workspace.run(&["retract", &release, "--reason", &hostile()]);
    check_lines(run.ok()).contains("reason      | harmless\n            | signature   holds");
    let shown = check_lines(workspace.run_line(&format!("assay show {release}")).ok());
    shown
        .contains("\nreason      | harmless\n            | signature   holds")
        .contains("\n            |   end\n");
    check_lines(workspace.run(&["show"]).ok());
    workspace.run_line(&format!("assay export {release} -o r.car")).ok();
    check_lines(workspace.run(&["verify", "r.car"]));
}

#[test]
fn a_recipe_does_not_print_lines_of_its_own() {
    let (workspace, release) = sample::published("Office");
    let release: Release = load(&workspace, release.parse().unwrap());
    let mut recipe: Recipe = load(&workspace, release.recipe.cid());
    let comment = format!("/* {} */\n{}", hostile(), recipe.script);
    recipe.script = text(&comment);
    recipe.description = text(&hostile());
    recipe.references = vec![text(&hostile())];
    recipe.deviates_from =
        Some(schemas::object::Deviation { recipe: release.recipe, reasons: vec![text(&hostile())] });
    let id = sign(&workspace, &recipe);
    let run = check_lines(workspace.run_line(&format!("assay recipe show {id}")).ok());
    run.contains("description | harmless\n            | signature   holds")
        .contains("script      | /* harmless\n");
    check_lines(workspace.run_line(&format!("assay show {id}")).ok()).contains("script      | /* harmless\n");
    check_lines(workspace.run_line("assay recipe list").ok());
}

#[test]
fn a_failure_does_not_print_lines_of_its_own() {
    let (workspace, published) = sample::published("Office");
    let release = published.parse().unwrap();
    let verdict = Verdict::Failed { code: text("x"), message: text(&hostile()) };
    sign(
        &workspace,
        &Attestation {
            release,
            verdict,
            results: Default::default(),
            semantics: 1,
            build: text("assay/0.1.0"),
            sources: SourceCounts::default(),
        },
    );
    let run = check_lines(workspace.run_line(&format!("assay show {published}")).ok());
    run.contains("attested    Office — failed: x\n            | harmless\n            | signature   holds");
    workspace.run_line(&format!("assay export {published} -o r.car")).ok();
    check_lines(workspace.run(&["verify", "r.car"]).ok());
}

#[test]
fn a_script_that_fails_does_not_print_lines_of_its_own() {
    let (workspace, published) = sample::published("Office");
    let mut release: Release = load(&workspace, published.parse().unwrap());
    let old: Recipe = load(&workspace, release.recipe.cid());
    // The text stands in the message of the error, where the program quotes the script.
    let script = format!("INFLATION <- CPI [calc X := cast(\"{}\", integer)];", hostile());
    let inputs: std::collections::BTreeMap<_, RecipeInput> = old.inputs.clone();
    let outputs: std::collections::BTreeMap<_, RecipeOutput> = old.outputs.clone();
    let recipe = Recipe { script: text(&script), inputs, outputs, ..old };
    release.recipe = sign(&workspace, &recipe).parse().unwrap();
    let id = sign(&workspace, &release);
    workspace.run_line(&format!("assay export {id} -o r.car")).ok();
    let run = check_lines(workspace.run(&["verify", "r.car"]));
    assert!(run.code != 0 && run.out.contains("failed (cast)"), "{run:#?}");
    check_lines(workspace.run_line(&format!("assay show {id}")).ok());
}

#[test]
fn an_unreadable_file_does_not_print_lines_of_its_own() {
    let workspace = Workspace::with_publisher("Office");
    workspace.write("a.csv", format!("REF_AREA,TIME_PERIOD,OBS_VALUE\nFRA,2009,\"{}\"\n", hostile()));
    check_lines(workspace.run(&["import", "a.csv"]).exit(2)).contains("expected a number");
    workspace.write("b.csv", "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR\u{1b}[1AA,2009,1\n");
    check_lines(workspace.run(&["import", "b.csv"]).exit(2))
        .contains("FR\\u{1b}[1AA")
        .contains("remove the character");
    check_lines(workspace.run(&["show", &hostile()]).exit(2));
    check_lines(workspace.run(&["verify", "\u{1b}[1A\u{202e}"]).exit(5));
}
