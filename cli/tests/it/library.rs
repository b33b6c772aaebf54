//! The library of recipes at the command line: every one can be looked at, and what an alternative does
//! to real figures is shown.

use serde_json::Value;

use super::workspace::{Workspace, library, text};

#[test]
fn every_library_recipe_can_be_shown() {
    let workspace = Workspace::new();
    let list = workspace.json("assay recipe list");
    let recipes = list["library"].as_array().unwrap();
    assert!(recipes.len() > 20, "{list:#}");
    for recipe in recipes {
        let name = text(recipe, "name");
        let shown = workspace.json(&format!("assay recipe show {name}"));
        assert_eq!(shown["recipe"]["title"], recipe["title"]);
        let outputs: Vec<&Value> =
            shown["results"].as_array().unwrap().iter().map(|result| &result["unit"]).collect();
        assert!(outputs.iter().all(|unit| unit.is_string()), "{shown:#}");
        assert_eq!(workspace.json(&format!("assay recipe check {name}"))["ok"], true);
        assert!(
            workspace.json(&format!("assay recipe explain {name}"))["steps"].as_array().unwrap().len() > 1
        );
        if let Some(base) = recipe["deviates_from"].as_str() {
            let diff = workspace.json(&format!("assay recipe diff {base} {name}"));
            assert!(!diff["reasons"].as_array().unwrap().is_empty() && diff["same"] == false, "{diff:#}");
        }
    }
    let inflation = workspace.json("assay recipe list inflation");
    let measures = inflation["library"].as_array().unwrap().iter().map(|recipe| text(recipe, "indicator"));
    assert!(measures.collect::<Vec<_>>().iter().all(|measure| measure == "inflation"));
}

/// Rent of primary residence in place of shelter, at the weight of December 2022: lower in the first
/// half of 2022, higher in the second.
#[test]
fn rents_in_place_of_shelter_change_the_inflation_of_2022() {
    let Some(library) = library() else { return };
    let workspace = Workspace::new();
    workspace.write("weight.csv", "REF_AREA,TIME_PERIOD,OBS_VALUE\nUSA,2022-12,34.413\n");
    let file = |name: &str| library.join(format!("fred/components_2023-12/{name}.csv")).display().to_string();
    let diff = workspace.json(&format!(
        "assay recipe diff inflation/cpi-12-month inflation/housing-alternative --on CPI='{}' --on SHELTER='{}' \
         --on RENT='{}' --on WEIGHT=weight.csv --figure USA/2022",
        file("CPIAUCNS"), file("CUUR0000SAH1"), file("CUUR0000SEHA")
    ));
    let figures = diff["figures"].as_array().unwrap();
    let of = |key: &str| -> [String; 3] {
        let figure = figures.iter().find(|figure| figure["key"] == key).unwrap();
        ["before", "after", "difference"].map(|name| text(figure, name))
    };
    assert_eq!(of("USA/2022-M01"), ["7.5", "7.3", "-0.2"]);
    assert_eq!(of("USA/2022-M06"), ["9.1", "9.1", "0"]);
    assert_eq!(of("USA/2022-M12"), ["6.5", "6.7", "0.2"]);
}
