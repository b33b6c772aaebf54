//! The reserved words of VTL 2.2 and what this engine makes of the operators among them.
//!
//! Owns the list of words (grammar `VtlTokens.g4`) and the reasons for refusing an operator by
//! name: either its result would not be the same everywhere, or it is not built yet.

/// Every reserved word, in ascending order.
const RESERVED: &[&str] = &[
    "Value",
    "abs",
    "aggr",
    "aggregate",
    "all",
    "all_measures",
    "always_null",
    "always_zero",
    "and",
    "any",
    "apply",
    "as",
    "asc",
    "attribute",
    "avg",
    "between",
    "boolean",
    "by",
    "calc",
    "case",
    "cast",
    "ceil",
    "check",
    "check_datapoint",
    "check_hierarchy",
    "component",
    "components",
    "computed",
    "condition",
    "count",
    "cross_join",
    "current",
    "current_date",
    "customPivot",
    "damerau_levenshtein",
    "data",
    "datapoint",
    "datapoint_on_valuedomains",
    "datapoint_on_variables",
    "dataset",
    "dataset_priority",
    "date",
    "dateadd",
    "datediff",
    "dayofmonth",
    "dayofyear",
    "daytomonth",
    "daytoyear",
    "default",
    "define",
    "desc",
    "diff",
    "drop",
    "duration",
    "else",
    "end",
    "errorcode",
    "errorlevel",
    "eval",
    "except",
    "exists_in",
    "exp",
    "false",
    "fill_time_series",
    "filter",
    "first",
    "first_value",
    "float",
    "floor",
    "flow_to_stock",
    "following",
    "from",
    "full_join",
    "getmonth",
    "getyear",
    "group",
    "hamming",
    "having",
    "hierarchical",
    "hierarchical_on_valuedomains",
    "hierarchical_on_variables",
    "hierarchy",
    "identifier",
    "if",
    "imbalance",
    "in",
    "indexof",
    "inner_join",
    "input",
    "instr",
    "integer",
    "intersect",
    "invalid",
    "is",
    "isnull",
    "jaro_winkler",
    "keep",
    "key",
    "lag",
    "language",
    "last",
    "last_value",
    "lead",
    "left_join",
    "length",
    "levenshtein",
    "list",
    "ln",
    "log",
    "lower",
    "ltrim",
    "match_characters",
    "max",
    "measure",
    "median",
    "merge",
    "min",
    "mod",
    "monthtoday",
    "non_null",
    "non_zero",
    "not",
    "not_in",
    "null",
    "number",
    "nvl",
    "on",
    "operator",
    "or",
    "order",
    "output",
    "over",
    "partial_null",
    "partial_zero",
    "partition",
    "period_indicator",
    "pivot",
    "point",
    "points",
    "power",
    "preceding",
    "propagation",
    "random",
    "range",
    "rank",
    "ratio_to_report",
    "rename",
    "replace",
    "returns",
    "round",
    "rows",
    "rtrim",
    "rule",
    "rule_priority",
    "ruleset",
    "scalar",
    "set",
    "setdiff",
    "single",
    "sqrt",
    "stddev_pop",
    "stddev_samp",
    "stock_to_flow",
    "string",
    "string_distance",
    "structure",
    "sub",
    "substr",
    "sum",
    "symdiff",
    "then",
    "time",
    "time_agg",
    "time_period",
    "timeshift",
    "to",
    "trim",
    "true",
    "trunc",
    "type",
    "unbounded",
    "union",
    "unpivot",
    "upper",
    "using",
    "valuedomain",
    "var_pop",
    "var_samp",
    "variable",
    "viral",
    "when",
    "with",
    "xor",
    "yeartoday",
];

/// Whether a word is reserved; `true`, `false` and `null` are too.
pub(crate) fn reserved(word: &str) -> bool {
    RESERVED.binary_search(&word).is_ok()
}

/// The reserved words, for hints.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    RESERVED.iter().copied()
}

/// Why an operator can never be part of a verifiable recipe, if it cannot.
pub(crate) fn refused(word: &str) -> Option<&'static str> {
    match word {
        "eval" => Some("`eval` runs other software, so its result cannot be recomputed: it is refused"),
        "random" => {
            Some("`random` has no stated generator in VTL, so its result is not deterministic: it is refused")
        }
        "current_date" => {
            Some("`current_date` reads the clock, so its result is not deterministic: it is refused")
        }
        _ => None,
    }
}

/// Operators of VTL 2.2 in functional syntax that are not built yet.
pub(crate) fn later(word: &str) -> bool {
    matches!(
        word,
        "dateadd"
            | "datediff"
            | "dayofmonth"
            | "dayofyear"
            | "daytomonth"
            | "daytoyear"
            | "fill_time_series"
            | "flow_to_stock"
            | "instr"
            | "length"
            | "lower"
            | "ltrim"
            | "match_characters"
            | "monthtoday"
            | "period_indicator"
            | "replace"
            | "rtrim"
            | "stock_to_flow"
            | "string_distance"
            | "substr"
            | "time_agg"
            | "trim"
            | "upper"
            | "yeartoday"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_order() {
        assert!(RESERVED.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(reserved("filter") && !reserved("CPI") && !reserved("Filter"));
    }
}
