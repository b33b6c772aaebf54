//! Which columns of a structure-specific message are dimensions: the message does not say it.
//!
//! A dimension is in every observation and holds codes. Those who write such messages put the
//! dimensions first, so the first column that cannot be one ends them. Where that does not tell
//! all observations apart, every column that could be a dimension is one.

use crate::sheet::{Sheet, is_code};

/// Attributes that agencies write in every series; none of them is a dimension anywhere.
const ATTRIBUTES: [&str; 31] = [
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

/// Whether an id is that of an attribute in every structure.
pub(crate) fn is_attribute(id: &str) -> bool {
    ATTRIBUTES.contains(&id)
}

/// The dimensions among these columns, which stand in the order of the message.
pub(crate) fn dimensions(sheet: &Sheet, columns: &[usize]) -> Vec<usize> {
    let ids: Vec<&str> = sheet.ids().collect();
    let possible = |place: &usize| {
        let named = ids.get(*place).is_some_and(|id| !is_attribute(id));
        named && sheet.full(*place) && sheet.texts(*place).all(is_code)
    };
    let all: Vec<usize> = columns.iter().copied().filter(possible).collect();
    let first: Vec<usize> = columns.iter().copied().take_while(|place| all.contains(place)).collect();
    let enough = !first.is_empty() && first.len() < all.len() && sheet.unique(&first);
    if enough { first } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows: &[&[(&str, &str)]], expected: &[&str]) {
        let mut sheet = Sheet::new(&["OBS_VALUE"]);
        let mut columns: Vec<usize> = Vec::new();
        for row in rows {
            let mut set = Vec::new();
            for (id, text) in *row {
                let place = sheet.column(id).unwrap();
                if !columns.contains(&place) {
                    columns.push(place);
                }
                set.push((place, sheet.set(place, text)));
            }
            let figure = schemas::decimal::Decimal::new(1, 0).unwrap();
            sheet.push("2010".parse().ok(), &[Some(figure)], false, 1).unwrap();
            set.into_iter().for_each(|(place, before)| sheet.restore(place, before));
        }
        let found = dimensions(&sheet, &columns);
        let ids: Vec<&str> = sheet.ids().collect();
        assert_eq!(found.iter().map(|place| ids[*place]).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_first_column_that_is_none_ends_them() {
        check(&[&[("A", "1"), ("B", "x"), ("TITLE", "t"), ("C", "y")]], &["A", "B"]);
        check(&[&[("A", "1"), ("D", "9/23/2025"), ("C", "y")]], &["A"]);
        check(&[&[("A", "1"), ("B", "x")], &[("A", "2"), ("B", "x")]], &["A", "B"]);
        check(&[&[("A", "1"), ("N", "x")], &[("A", "2")]], &["A"]);
    }

    #[test]
    fn where_that_does_not_tell_them_apart_all_that_could_be_are() {
        check(
            &[&[("A", "1"), ("TITLE", "t"), ("C", "y")], &[("A", "1"), ("TITLE", "t"), ("C", "z")]],
            &["A", "C"],
        );
        check(&[&[("DECIMALS", "1"), ("A", "y")]], &["A"]);
    }
}
