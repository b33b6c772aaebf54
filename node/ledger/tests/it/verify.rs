use std::collections::BTreeMap;

use ledger::verify::verify_release;
use ledger::vtl::RunCeilings;
use schemas::cid::ReleaseId;
use schemas::decimal::Decimal;
use schemas::structure::{ComponentList, Role, ValueType};
use schemas::table::{Cell, Column, Table};
use schemas::verdict::Verdict;

use testkit::Publisher;
use testkit::prices::{INFLATION_SCRIPT, inflation_recipe, normalize_numbers, price_table, value_table};
use testkit::sample::{make_component, make_components, make_name, make_text};

fn verdict(publisher: &Publisher, release: ReleaseId) -> Verdict {
    verify_release(release, &|id| publisher.block(id)).verdict
}

/// The verdict on a release that claims these rows.
fn claimed(rows: &[(&str, &str, &str)]) -> Verdict {
    let mut publisher = Publisher::new(1);
    let release = publisher.store_claim(&value_table(rows));
    verdict(&publisher, release)
}

#[test]
fn what_holds_is_reproduced_to_the_same_ids() {
    let mut publisher = Publisher::new(1);
    let release = publisher.store_reproducible_release();
    let found = verify_release(release, &|id| publisher.block(id));
    assert_eq!(found.verdict, Verdict::Reproduced { cells: 2, read: 4 });
    assert!(found.steps > 0);
    let again = verify_release(release, &|id| publisher.block(id));
    assert_eq!(again, found, "the same blocks give the same answer");
}

#[test]
fn code_lists_of_the_inputs_come_with_the_result() {
    let mut publisher = Publisher::new(1);
    let dataset = publisher.store_dataset(&price_table());
    let (_, source) = ledger::compute::load_dataset(dataset, &|id| publisher.block(id)).unwrap();
    let outcome = ledger::compute::run_recipe(
        &inflation_recipe(INFLATION_SCRIPT),
        BTreeMap::from([(make_name("CPI"), source)]),
        &RunCeilings::default(),
    )
    .unwrap();
    let figures = &outcome.figures[&make_name("INFLATION")];
    let blocks: BTreeMap<_, _> = figures.blocks.iter().cloned().collect();
    let (structure, _) =
        schemas::content::unpack_table(figures.content, |id| blocks.get(&id).cloned()).unwrap();
    let codes: Vec<&str> =
        structure.codes[&make_name("REF_AREA")].iter().map(|code| code.name.as_str()).collect();
    assert_eq!(codes, ["Germany", "France"], "the code that does not occur is left out");
}

#[test]
fn results_with_trailing_zeros_are_invalid() {
    let verdict = claimed(&[("DEU", "2016", "0.50"), ("FRA", "2016", "0.2")]);
    assert!(matches!(&verdict, Verdict::Invalid { code, .. } if code.as_str() == "content"), "{verdict}");
}

#[test]
fn the_first_cell_that_differs_is_named() {
    let Verdict::Differs { first, count, cells, .. } =
        claimed(&[("DEU", "2016", "0.4"), ("FRA", "2016", "0.3")])
    else {
        panic!("it differs");
    };
    assert_eq!((count, cells), (2, 2));
    assert_eq!(first.key, [Cell::Text("DEU".into()), Cell::Period("2016".parse().unwrap())]);
    assert_eq!(first.component, Some(make_name("OBS_VALUE")));
    assert_eq!(first.published, Some(Cell::Number(Decimal::new(4, -1).unwrap())));
    assert_eq!(first.computed, Some(Cell::Number(Decimal::new(5, -1).unwrap())));
    assert_eq!(first.to_string(), "INFLATION[DEU, 2016].OBS_VALUE: published 0.4, computed 0.5");
}

#[test]
fn data_points_on_one_side_only_are_differences() {
    let Verdict::Differs { first, count: 1, cells: 2, .. } = claimed(&[("FRA", "2016", "0.2")]) else {
        panic!("one is left out");
    };
    assert_eq!(first.to_string(), "INFLATION[DEU, 2016]: published no data point, computed 0.5");
    let all = [("DEU", "2016", "0.5"), ("FRA", "2016", "0.2"), ("USA", "2016", "9")];
    let Verdict::Differs { first, count: 1, cells: 3, .. } = claimed(&all) else { panic!("one is made up") };
    assert_eq!(first.to_string(), "INFLATION[USA, 2016]: published 9, computed no data point");
    assert!(
        matches!(claimed(&[]), Verdict::Differs { count: 2, .. }),
        "nothing is not the same as something"
    );
}

#[test]
fn another_structure_is_a_difference() {
    let mut publisher = Publisher::new(1);
    let components = make_components(&[
        ("REF_AREA", Role::Identifier, ValueType::String),
        ("TIME_PERIOD", Role::Identifier, ValueType::TimePeriod),
        ("RATE", Role::Measure, ValueType::Number),
    ]);
    let columns: Vec<Column> = normalize_numbers(&price_table()).columns().to_vec();
    let release = publisher.store_claim(&Table::new(components, columns).unwrap());
    let Verdict::Differs { first, .. } = verdict(&publisher, release) else { panic!("it differs") };
    assert_eq!(first.component, Some(make_name("RATE")));
}

#[test]
fn what_is_absent_is_named_and_is_no_difference() {
    let mut publisher = Publisher::new(1);
    let release = publisher.store_reproducible_release();
    for id in publisher.blocks.keys().copied().collect::<Vec<_>>() {
        let found = verify_release(release, &|wanted| {
            publisher.blocks.get(&wanted).filter(|_| wanted != id).cloned()
        });
        match found.verdict {
            Verdict::Missing { ids, count } => assert!(count >= 1 && ids.contains(&id)),
            Verdict::Reproduced { .. } => {
                assert!(id == publisher.log.last().cid(), "only the entry is not needed")
            }
            other => panic!("{other}"),
        }
    }
}

/// A release of another recipe, with whatever result.
fn with_recipe(change: impl Fn(&mut schemas::object::Recipe)) -> Verdict {
    let mut publisher = Publisher::new(1);
    let mut plan = inflation_recipe(INFLATION_SCRIPT);
    change(&mut plan);
    let recipe = publisher.store_object(&plan);
    let content = publisher.store_content(&normalize_numbers(&price_table()));
    let release = publisher.store_release(recipe, BTreeMap::from([(make_name("INFLATION"), content)]));
    verdict(&publisher, release)
}

fn failed(verdict: Verdict) -> (String, String) {
    match verdict {
        Verdict::Failed { code, message } => (code.to_string(), message.to_string()),
        other => panic!("it cannot be checked, but: {other}"),
    }
}

#[test]
fn what_cannot_run_is_failed_and_says_why() {
    let script = |text: &'static str| move |plan: &mut schemas::object::Recipe| plan.script = make_text(text);
    assert_eq!(failed(with_recipe(script("INFLATION <- "))).0, "syntax");
    let (code, message) = failed(with_recipe(script("INFLATION <- CPY;")));
    assert_eq!(code, "unknown-name");
    assert!(message.contains("CPY"), "{message}");
    assert_eq!(failed(with_recipe(script("RATE <- CPI;"))).0, "outputs");
    let (code, message) = failed(with_recipe(script("INFLATION <- CPI / (CPI - CPI);")));
    assert_eq!(code, "division-by-zero");
    assert!(message.contains("DEU"), "it names the data point: {message}");
    assert_eq!(failed(with_recipe(|plan| plan.limits.steps = 1)).0, "budget");
    assert_eq!(failed(with_recipe(|plan| plan.semantics = 99)).0, "semantics");
    let (code, message) = failed(with_recipe(|plan| {
        let part = make_component("ITEM", Role::Identifier, ValueType::String);
        let more = price_table().shape().components().iter().cloned().chain([part]).collect();
        plan.inputs.get_mut(&make_name("CPI")).unwrap().components =
            ComponentList::sorted_by_role(more).unwrap();
    }));
    assert_eq!(code, "structure");
    assert!(message.contains("`ITEM`") && message.contains("`REF_AREA`"), "{message}");
}

#[test]
fn columns_that_the_recipe_does_not_know_change_nothing() {
    let mut publisher = Publisher::new(1);
    let plan = inflation_recipe(INFLATION_SCRIPT);
    let mut parts = price_table().shape().components().to_vec();
    parts.push(make_component("NOTE", Role::Attribute, ValueType::String));
    let notes = Column::Text(schemas::table::TextColumn::from_rows([Some("a"), None, Some("b"), Some("c")]));
    let columns = price_table().columns().iter().cloned().chain([notes]).collect();
    let table = Table::new(ComponentList::new(parts).unwrap(), columns).unwrap();
    let dataset = publisher.store_dataset(&table);
    let (_, source) = ledger::compute::load_dataset(dataset, &|id| publisher.block(id)).unwrap();
    let outcome = ledger::compute::run_recipe(
        &plan,
        BTreeMap::from([(make_name("CPI"), source)]),
        &RunCeilings::default(),
    )
    .unwrap();
    assert_eq!(outcome.figures[&make_name("INFLATION")].table.shape(), price_table().shape());
}
