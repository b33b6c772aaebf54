//! String operators (reference manual, "String operators", "Match characters").

/// String operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextOp {
    Trim,
    TrimLeft,
    TrimRight,
    Upper,
    Lower,
    Substring,
    Replace,
    Position,
    Length,
    Match,
    Distance(StringDistance),
}

/// Method of `string_distance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StringDistance {
    Levenshtein,
    Damerau,
    Hamming,
    Winkler,
}

impl StringDistance {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "levenshtein" => Self::Levenshtein,
            "damerau_levenshtein" => Self::Damerau,
            "hamming" => Self::Hamming,
            "jaro_winkler" => Self::Winkler,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Levenshtein => "levenshtein",
            Self::Damerau => "damerau_levenshtein",
            Self::Hamming => "hamming",
            Self::Winkler => "jaro_winkler",
        }
    }
}

impl TextOp {
    /// Returns the operator of a reserved word, with its minimum and maximum number of operands.
    pub(crate) fn from_function_name(word: &str) -> Option<(Self, usize, usize)> {
        Some(match word {
            "instr" => (Self::Position, 2, 4),
            "length" => (Self::Length, 1, 1),
            "lower" => (Self::Lower, 1, 1),
            "ltrim" => (Self::TrimLeft, 1, 1),
            "match_characters" => (Self::Match, 2, 2),
            "replace" => (Self::Replace, 2, 3),
            "rtrim" => (Self::TrimRight, 1, 1),
            "substr" => (Self::Substring, 1, 3),
            "trim" => (Self::Trim, 1, 1),
            "upper" => (Self::Upper, 1, 1),
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::TrimLeft => "ltrim",
            Self::TrimRight => "rtrim",
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Substring => "substr",
            Self::Replace => "replace",
            Self::Position => "instr",
            Self::Length => "length",
            Self::Match => "match_characters",
            Self::Distance(_) => "string_distance",
        }
    }

    /// Returns whether the result is not a string.
    pub(crate) fn changes_type(self) -> bool {
        matches!(self, Self::Position | Self::Length | Self::Match | Self::Distance(_))
    }
}
