//! Recipe files that are wrong, each in one way.

use recipes::{Error, read_recipe, script_file_name};

const TOML: &str = "title = \"A test\"\nindicator = \"inflation\"\ndescription = \"A test.\"\nlicence = \"CC0-1.0\"\n\
    [inputs.CPI]\ntitle = \"Index\"\nidentifiers = [\"REF_AREA\"]\nmeasures = [\"OBS_VALUE:number\"]\n\
    [outputs.R]\ntitle = \"Rate\"\nunit = \"per cent\"\n";

#[test]
fn a_file_gives_what_it_says() {
    let toml = format!("{TOML}[parameters.PLACES]\ntitle = \"decimals\"\nvalue = \"1\"\n");
    let found = read_recipe("my", &toml, "PLACES := 1;\r\nR <- round(CPI, PLACES);\r\n").unwrap();
    assert_eq!(found.recipe.script.as_str(), "PLACES := 1;\nR <- round(CPI, PLACES);\n");
    assert_eq!(found.parameters["PLACES"].title, "decimals");
    assert_eq!((found.recipe.semantics, found.recipe.limits.cells), (1, 100_000_000));
    assert_eq!((found.deviates_from, found.recipe.deviates_from), (None, None));
    assert_eq!(script_file_name("my", &format!("script = \"x.vtl\"\n{TOML}")), Ok(Some("x.vtl".to_owned())));
}

#[test]
fn what_it_deviates_from_is_named_or_an_id() {
    let base = |base: &str| format!("{TOML}[deviates_from]\nrecipe = \"{base}\"\nreasons = [\"because\"]\n");
    let by_name = read_recipe("my", &base("inflation/cpi-annual"), "R <- CPI;").unwrap();
    let id = by_name.recipe.deviates_from.as_ref().unwrap().recipe.to_string();
    let by_id = read_recipe("my", &base(&id), "R <- CPI;").unwrap();
    assert_eq!(by_name.recipe, by_id.recipe);
}

#[test]
fn a_wrong_file_says_what_is_wrong() {
    let cases = [
        ("title = \"A test\"", "title = 1", "`my`: TOML parse error at line 1"),
        ("licence", "license", "unknown field `license`"),
        ("\"OBS_VALUE:number\"", "\"OBS_VALUE:decimal\"", "`my`, input `CPI`: `decimal` is not a type"),
        ("\"REF_AREA\"", "\"REF AREA\"", "`REF AREA` is not a valid name"),
        ("\"REF_AREA\"", "\"REF_AREA\", \"REF_AREA\"", "`my`, input `CPI`: "),
        ("[outputs.R]", "[outputs.\"1\"]", "`1` is not a valid name"),
        ("[outputs.R]", "[parameters.N]\ntitle = \"n\"\nvalue = \"2\"\n[outputs.R]", "has no line `N := 2;`"),
        (
            "[outputs.R]",
            "[deviates_from]\nrecipe = \"inflation/none\"\nreasons = []\n[outputs.R]",
            "`my` deviates from `inflation/none`, which is neither",
        ),
    ];
    for (old, new, message) in cases {
        let error: Error = read_recipe("my", &TOML.replacen(old, new, 1), "N := 1;\nR <- CPI;").unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}
