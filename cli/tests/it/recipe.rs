//! Invalid recipes: message, location and exit code.

use testkit::publisher::STATISTICS_OFFICE;

use super::sample;
use super::workspace::{CommandResult, Workspace};

/// A recipe of one input and one output on a workspace.
pub fn recipe(workspace: &Workspace, script: &str, limits: &str) {
    let file = format!(
        "title = \"A test\"\nindicator = \"inflation\"\ndescription = \"A test.\"\nlicence = \"CC0-1.0\"\n\
         script = \"my.vtl\"\n{limits}\n\
         [inputs.CPI]\ntitle = \"Index\"\nidentifiers = [\"REF_AREA\", \"TIME_PERIOD:time_period\"]\n\
         measures = [\"OBS_VALUE:number\"]\n\
         [outputs.INFLATION]\ntitle = \"Rate\"\nunit = \"per cent\"\n"
    );
    workspace.write("my.toml", file);
    workspace.write("my.vtl", script);
}

#[track_caller]
fn expect_error(run: CommandResult, code: i32, texts: &[&str]) {
    let mut run = run.exit(code);
    assert!(run.err.starts_with("error: "), "{run:#?}");
    for text in texts {
        run = run.contains(text);
    }
}

#[test]
fn check_finds_errors_without_data() {
    let workspace = Workspace::new();
    let cases: [(&str, &[&str]); 6] = [
        (
            "INFLATION <- CPI + ;",
            &["expected an expression", "line 1, column 20", "\n         |                    ^"],
        ),
        (
            "INFLATION <- CPY + 1;",
            &["no data set is called `CPY`", "did you mean `CPI`?", "line 1, column 14"],
        ),
        ("INFLATION <- A; A := B + 1; B := A + 1;", &["depend on each other", "`A` needs `B` needs `A`"]),
        ("INFLATION <- CPI || \"x\";", &["line 1, column 14"]),
        ("INFLATION <- lenght(CPI);", &["lenght"]),
        ("RATE <- CPI;", &["`INFLATION`"]),
    ];
    for (script, texts) in cases {
        recipe(&workspace, script, "");
        expect_error(workspace.run_line("assay recipe check my.toml"), 2, texts);
        expect_error(workspace.run_line("assay recipe run my.toml --input CPI=none.csv"), 2, texts);
    }
    expect_error(workspace.run_line("assay recipe check my.vtl"), 2, &["is a script", "name the TOML file"]);
    workspace.write("my.toml", "title = 1\n");
    expect_error(workspace.run_line("assay recipe check my.toml"), 2, &["line 1"]);
    std::fs::remove_file(workspace.path("my.vtl")).unwrap();
    recipe(&workspace, "x", "");
    std::fs::remove_file(workspace.path("my.vtl")).unwrap();
    expect_error(workspace.run_line("assay recipe check my.toml"), 5, &["my.vtl"]);
    assert!(!workspace.data().exists(), "checking a recipe needs no data directory");
}

/// A whole number that tells data points apart looks like text in a CSV; the recipe says what it is.
#[test]
fn a_recipe_determines_the_types_of_file_columns() {
    let workspace = Workspace::new();
    workspace.write(
        "price.csv",
        "REF_AREA,ITEM,TIME_PERIOD,OBS_VALUE\nA,BREAD,2020-M12,10\nA,BREAD,2021-M01,20\n",
    );
    workspace.write("weight.csv", "REF_AREA,ITEM,YEAR,OBS_VALUE\nA,BREAD,2021,1\n");
    let run = "assay recipe run inflation/chain-linked --input PRICE=price.csv --input WEIGHT=weight.csv";
    let found = workspace.run_line(&format!("{run} --csv CHAIN")).ok();
    assert_eq!(found.out.replace('\r', ""), "REF_AREA,TIME_PERIOD,OBS_VALUE\nA,2021-M01,200\n");
    workspace.write("weight.csv", "REF_AREA,ITEM,YEAR,OBS_VALUE\nA,BREAD,soon,1\n");
    expect_error(
        workspace.run_line(run),
        2,
        &["input `WEIGHT`", "identifier `YEAR` of type integer", "of type string"],
    );
}

/// Another value of a parameter is another script: it runs, and what is published says what it departs
/// from.
#[test]
fn a_parameter_is_set_in_the_script() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    let year = |year: u32, value: &str| -> String {
        (1..=12).map(|month| format!("A,{year}-{month:02},{value}\n")).collect()
    };
    workspace.write(
        "cpi.csv",
        format!("REF_AREA,TIME_PERIOD,OBS_VALUE\n{}{}", year(2010, "50"), year(2015, "80")),
    );
    let rebase = "assay recipe run inflation/rebase --input INDEX=cpi.csv --csv REBASED";
    let last =
        |line: &str| workspace.run_line(line).ok().out.trim_end().rsplit(',').next().map(str::to_owned);
    assert_eq!(last(rebase).as_deref(), Some("100"));
    assert_eq!(last(&format!("{rebase} --set BASE_YEAR=2010")).as_deref(), Some("160"));
    for (set, receiver) in [
        ("BASE=2010", "parameters of the recipe: BASE_YEAR"),
        ("BASE_YEAR", "NAME=VALUE"),
        ("BASE_YEAR='2010; X := 1'", "expected a literal like `2015`"),
        ("BASE_YEAR=2010 --set BASE_YEAR=2011", "set twice"),
    ] {
        expect_error(workspace.run_line(&format!("{rebase} --set {set}")), 2, &[receiver]);
    }
    let publish = "assay publish inflation/rebase --from cpi.csv --set BASE_YEAR=2010";
    expect_error(workspace.run_line(publish), 2, &["a dataflow of its own", "--dataflow"]);
    let published = workspace.json(&format!("{publish} --dataflow rebased"));
    let release = workspace.json(&format!("assay show {}", published["release"].as_str().unwrap()));
    let id = release["release"]["recipe"].as_str().unwrap_or_else(|| panic!("{release:#}")).to_owned();
    let recipe = workspace.json(&format!("assay show {id}")).to_string();
    assert!(
        recipe.contains("BASE_YEAR := 2010;") && recipe.contains("BASE_YEAR is 2010 instead of"),
        "{recipe}"
    );
    workspace.run_line(&format!("assay verify {}", published["release"].as_str().unwrap())).ok();
    expect_error(
        workspace.run_line(&format!("assay publish {id} --from cpi.csv --set BASE_YEAR=2011")),
        2,
        &["parameters"],
    );
}

#[test]
fn errors_in_data_name_the_data_point_and_publish_nothing() {
    let workspace = Workspace::with_publisher(STATISTICS_OFFICE);
    workspace.write("cpi.csv", sample::worldbank(0));
    workspace.write("sex.csv", "REF_AREA,SEX,TIME_PERIOD,OBS_VALUE\nFRA,F,2009,1\n");
    workspace.run_line("assay import worldbank cpi.csv").ok();
    let map = ["REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE"].map(|name| format!(" --map {name}={name}"));
    workspace.run_line(&format!("assay import csv sex.csv --dataflow SEX{}", map.concat())).ok();
    let before = workspace.json("assay show");
    let publish =
        |input: &str| workspace.run_line(&format!("assay publish my.toml --input {input} --dataflow x"));
    recipe(&workspace, "INFLATION <- CPI / 0;", "");
    let point = "REF_AREA = FRA, TIME_PERIOD = 2005";
    expect_error(publish("FP.CPI.TOTL"), 2, &["division by zero", "line 1, column 14", point]);
    expect_error(
        workspace.run_line("assay recipe run my.toml --input CPI=cpi.csv"),
        2,
        &["division by zero", point],
    );
    expect_error(publish("SEX"), 2, &["input `CPI`", "`SEX`"]);
    expect_error(publish("PRICES=FP.CPI.TOTL"), 2, &["no input `PRICES`", "CPI"]);
    for limits in ["steps = 5\ncells = 1000", "steps = 1000000\ncells = 5"] {
        recipe(&workspace, "INFLATION <- CPI + 1;", &format!("[limits]\n{limits}"));
        expect_error(publish("FP.CPI.TOTL"), 2, &["budget", "more than 5 "]);
    }
    assert_eq!(workspace.json("assay show"), before);
    recipe(&workspace, "INFLATION <- CPI + 1;", "");
    publish("FP.CPI.TOTL").ok();
    expect_error(publish("FP.CPI.TOTL"), 2, &["the same figures", "--reason"]);
}
