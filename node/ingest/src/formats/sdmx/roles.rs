//! Roles of the columns of a structure-specific message, which does not state its dimensions.
//!
//! A dimension is present in every observation and has codes. Services write the dimensions first, so
//! the first column that cannot be a dimension ends them. If these do not identify the observations,
//! every column that could be a dimension is taken as one.

use crate::build::observations::{ObservationBuilder, is_code};

/// Attributes that agencies write in every series; no structure has them as dimensions.
const ATTRIBUTES: [&str; 32] = [
    "ASSAY_STANDING",
    "AVAILABILITY",
    "BASE_PER",
    "BASE_YEAR",
    "COLLECTION",
    "COLL_METHOD",
    "COMMENT_OBS",
    "COMMENT_TS",
    "COMPILATION",
    "CONF_STATUS",
    "CONF_STATUS_OBS",
    "CURRENCY_UNIT",
    "DECIMALS",
    "EMBARGO_TIME",
    "LAST_UPDATE",
    "METHODOLOGY",
    "OBS_COM",
    "OBS_CONF",
    "OBS_FLAG",
    "OBS_PRE_BREAK",
    "OBS_STATUS",
    "POWERCODE",
    "PUBL_ECB",
    "REFERENCEPERIOD",
    "SOURCE_AGENCY",
    "SOURCE_PUB",
    "TIME_FORMAT",
    "TITLE",
    "TITLE_COMPL",
    "UNIT_INDEX_BASE",
    "UNIT_MULT",
    "VALUATION_DATE",
];

/// Whether an id is an attribute in every structure.
pub(crate) fn is_attribute(id: &str) -> bool {
    ATTRIBUTES.contains(&id)
}

/// The dimensions among `columns`, which are in the order of the message.
pub(crate) fn infer_dimensions(builder: &ObservationBuilder, columns: &[usize]) -> Vec<usize> {
    let ids: Vec<&str> = builder.column_ids().collect();
    let possible = |position: &usize| {
        let named = ids.get(*position).is_some_and(|id| !is_attribute(id));
        named && builder.is_complete(*position) && builder.column_texts(*position).all(is_code)
    };
    let all: Vec<usize> = columns.iter().copied().filter(possible).collect();
    let first: Vec<usize> = columns.iter().copied().take_while(|position| all.contains(position)).collect();
    // If all possible columns are leading ones there is nothing to decide.
    let enough = !first.is_empty() && first.len() < all.len() && builder.is_unique_key(&first);
    if enough { first } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows: &[&[(&str, &str)]], expected: &[&str]) {
        let mut builder = ObservationBuilder::new(&["OBS_VALUE"]);
        let mut columns: Vec<usize> = Vec::new();
        for row in rows {
            let mut set = Vec::new();
            for (id, text) in *row {
                let position = builder.column_index(id).unwrap();
                if !columns.contains(&position) {
                    columns.push(position);
                }
                set.push((position, builder.set_value(position, text)));
            }
            let figure = schemas::decimal::Decimal::new(1, 0).unwrap();
            builder.push("2010".parse().ok(), &[Some(figure)], false, 1).unwrap();
            set.into_iter().for_each(|(position, before)| builder.restore_value(position, before));
        }
        let found = infer_dimensions(&builder, &columns);
        let ids: Vec<&str> = builder.column_ids().collect();
        assert_eq!(found.iter().map(|position| ids[*position]).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_first_other_column_ends_the_dimensions() {
        check(&[&[("A", "1"), ("B", "x"), ("TITLE", "t"), ("C", "y")]], &["A", "B"]);
        check(&[&[("A", "1"), ("D", "9/23/2025"), ("C", "y")]], &["A"]);
        check(&[&[("A", "1"), ("B", "x")], &[("A", "2"), ("B", "x")]], &["A", "B"]);
        check(&[&[("A", "1"), ("N", "x")], &[("A", "2")]], &["A"]);
    }

    #[test]
    fn all_possible_dimensions_if_the_first_do_not_identify() {
        check(
            &[&[("A", "1"), ("TITLE", "t"), ("C", "y")], &[("A", "1"), ("TITLE", "t"), ("C", "z")]],
            &["A", "C"],
        );
        check(&[&[("DECIMALS", "1"), ("A", "y")]], &["A"]);
    }
}
