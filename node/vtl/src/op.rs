//! Closed sets of row-wise, aggregate and analytic operators.
//!
//! Owns their names and numbers of operands. Their types are in `check/typing.rs`, their values in
//! `eval/expression.rs`, their costs in `budget.rs`.

mod text;
mod time;

use schemas::structure::ValueType;

pub(crate) use text::{StringDistance, TextOp};
pub(crate) use time::{PeriodEnd, TimeConversion, TimeOp};

/// Row-wise operator: one value from the values of one data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    UnaryPlus,
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Sqrt,
    Ln,
    Exp,
    Log,
    Abs,
    Ceil,
    Floor,
    Round,
    Trunc,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Between,
    In,
    NotIn,
    IsNull,
    And,
    Or,
    Xor,
    Not,
    If,
    Nvl,
    /// The first operand where the second is true, an error elsewhere: checks values against the
    /// declared type of a parameter. The flag allows null.
    Limit(bool),
    Concat,
    Year,
    Month,
    /// An optional second operand is the mask.
    Cast(ValueType),
    Text(TextOp),
    Time(TimeOp),
}

impl Op {
    /// Returns the operator of a reserved word in functional syntax, with its minimum and maximum
    /// number of operands.
    pub(crate) fn from_function_name(word: &str) -> Option<(Op, usize, usize)> {
        Some(match word {
            "abs" => (Op::Abs, 1, 1),
            "between" => (Op::Between, 3, 3),
            "ceil" => (Op::Ceil, 1, 1),
            "exp" => (Op::Exp, 1, 1),
            "floor" => (Op::Floor, 1, 1),
            "getmonth" => (Op::Month, 1, 1),
            "getyear" => (Op::Year, 1, 1),
            "isnull" => (Op::IsNull, 1, 1),
            "ln" => (Op::Ln, 1, 1),
            "log" => (Op::Log, 2, 2),
            "mod" => (Op::Modulo, 2, 2),
            "nvl" => (Op::Nvl, 2, 2),
            "power" => (Op::Power, 2, 2),
            "round" => (Op::Round, 1, 2),
            "sqrt" => (Op::Sqrt, 1, 1),
            "trunc" => (Op::Trunc, 1, 2),
            _ => {
                let text =
                    TextOp::from_function_name(word).map(|(op, least, most)| (Op::Text(op), least, most));
                let time =
                    || TimeOp::from_function_name(word).map(|(op, least, most)| (Op::Time(op), least, most));
                return text.or_else(time);
            }
        })
    }

    /// Returns the operator as written in a script.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Op::UnaryPlus | Op::Add => "+",
            Op::Negate | Op::Subtract => "-",
            Op::Multiply => "*",
            Op::Divide => "/",
            Op::Modulo => "mod",
            Op::Power => "power",
            Op::Sqrt => "sqrt",
            Op::Ln => "ln",
            Op::Exp => "exp",
            Op::Log => "log",
            Op::Abs => "abs",
            Op::Ceil => "ceil",
            Op::Floor => "floor",
            Op::Round => "round",
            Op::Trunc => "trunc",
            Op::Equal => "=",
            Op::NotEqual => "<>",
            Op::Less => "<",
            Op::LessEqual => "<=",
            Op::Greater => ">",
            Op::GreaterEqual => ">=",
            Op::Between => "between",
            Op::In => "in",
            Op::NotIn => "not_in",
            Op::IsNull => "isnull",
            Op::And => "and",
            Op::Or => "or",
            Op::Xor => "xor",
            Op::Not => "not",
            Op::If => "if",
            Op::Nvl => "nvl",
            Op::Limit(_) => "limited",
            Op::Concat => "||",
            Op::Year => "getyear",
            Op::Month => "getmonth",
            Op::Cast(_) => "cast",
            Op::Text(op) => op.name(),
            Op::Time(op) => op.name(),
        }
    }

    /// Returns whether the result type differs from the operand type. At data set level such an
    /// operator needs exactly one measure, which takes the default name of the result type (reference
    /// manual, "Operators changing the data type").
    pub(crate) fn changes_type(self) -> bool {
        match self {
            Op::Text(op) => op.changes_type(),
            Op::Time(op) => op.changes_type(),
            Op::Equal
            | Op::NotEqual
            | Op::Less
            | Op::LessEqual
            | Op::Greater
            | Op::GreaterEqual
            | Op::Between
            | Op::In
            | Op::NotIn
            | Op::IsNull
            | Op::Year
            | Op::Month
            | Op::Cast(_) => true,
            _ => false,
        }
    }
}

/// Aggregate operator: one value from the values of many data points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AggregateOp {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Median,
    StddevPop,
    StddevSamp,
    VarPop,
    VarSamp,
}

impl AggregateOp {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "sum" => Self::Sum,
            "avg" => Self::Avg,
            "count" => Self::Count,
            "min" => Self::Min,
            "max" => Self::Max,
            "median" => Self::Median,
            "stddev_pop" => Self::StddevPop,
            "stddev_samp" => Self::StddevSamp,
            "var_pop" => Self::VarPop,
            "var_samp" => Self::VarSamp,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
            Self::StddevPop => "stddev_pop",
            Self::StddevSamp => "stddev_samp",
            Self::VarPop => "var_pop",
            Self::VarSamp => "var_samp",
        }
    }

    /// Returns whether a data set without measures is an operand (reference manual, "Minimum value",
    /// "Maximum value": `dataset`; the others: `dataset { measure<number> _+ }`).
    pub(crate) fn accepts_no_measure(self) -> bool {
        matches!(self, Self::Min | Self::Max)
    }
}

/// Operator of an analytic invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnalyticOp {
    Aggregate(AggregateOp),
    First,
    Last,
    Lag,
    Lead,
    Rank,
    Ratio,
    /// Merges a viral attribute without a propagation rule: null if the window has a null, else the
    /// smallest value.
    Viral,
    /// Extension `ewma`, over a time series.
    Ewma,
    /// Extension `chain_product`, over a time series.
    Product,
}

impl AnalyticOp {
    /// Returns the analytic operator of a reserved word; aggregates are not among them.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "first_value" => Self::First,
            "last_value" => Self::Last,
            "lag" => Self::Lag,
            "lead" => Self::Lead,
            "rank" => Self::Rank,
            "ratio_to_report" => Self::Ratio,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aggregate(op) => op.name(),
            Self::First => "first_value",
            Self::Last => "last_value",
            Self::Lag => "lag",
            Self::Lead => "lead",
            Self::Rank => "rank",
            Self::Ratio => "ratio_to_report",
            Self::Viral => "the viral attribute",
            Self::Ewma => "ewma",
            Self::Product => "chain_product",
        }
    }

    /// Returns whether a data set without measures is an operand; as for aggregates, by the manual.
    pub(crate) fn accepts_no_measure(self) -> bool {
        match self {
            Self::Aggregate(op) => op.accepts_no_measure(),
            op => matches!(op, Self::Lag | Self::Lead),
        }
    }
}

/// Returns the default name of a measure of a type (reference manual, "Operators changing the data
/// type").
pub(crate) fn default_measure_name(kind: ValueType) -> &'static str {
    match kind {
        ValueType::String => "string_var",
        ValueType::Integer => "int_var",
        ValueType::Number => "num_var",
        ValueType::Boolean => "bool_var",
        ValueType::TimePeriod => "time_period_var",
        ValueType::Date => "date_var",
        ValueType::Time => "time_var",
        ValueType::Duration => "duration_var",
    }
}
