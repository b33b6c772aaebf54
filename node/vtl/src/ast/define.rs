//! Syntax tree of definitions (grammar rule `defOperators`): user-defined operators, rulesets and
//! propagation rules of viral attributes.

use std::collections::BTreeMap;

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::{Expr, Ident};
use crate::diagnostic::Span;
use crate::op::Op;

/// Definitions of a script, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    pub(crate) operators: BTreeMap<String, OperatorDefinition>,
    pub(crate) datapoint: BTreeMap<String, DatapointRuleset>,
    pub(crate) hierarchical: BTreeMap<String, HierarchicalRuleset>,
    /// Keyed by the name of the attribute, not by that of the rule.
    pub(crate) propagation: BTreeMap<String, ViralPropagation>,
}

/// `define operator`.
#[derive(Debug, Clone)]
pub(crate) struct OperatorDefinition {
    pub(crate) name: Ident,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returns: Option<(ParameterType, Span)>,
    pub(crate) body: Expr,
}

/// Parameter of a user-defined operator; optional when it has a default.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) parameter_type: ParameterType,
    pub(crate) default: Option<Expr>,
}

/// Declared type of a parameter or of a result.
#[derive(Debug, Clone)]
pub(crate) enum ParameterType {
    Scalar(ScalarConstraint),
    /// Component, restricted to a role when one is declared.
    Component(Option<Role>, ScalarConstraint),
    /// Data set with at least these components.
    Data(Vec<ComponentConstraint>),
    /// List of values.
    Set,
    Ruleset,
}

/// Scalar type, optionally restricted to some of its values.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScalarConstraint {
    /// `None` accepts any scalar type.
    pub(crate) value_type: Option<ValueType>,
    pub(crate) subset: Option<ValueSubset>,
    /// Whether null is excluded.
    pub(crate) never_null: bool,
}

/// Restriction of a scalar type to some of its values.
#[derive(Debug, Clone)]
pub(crate) enum ValueSubset {
    /// `{ 1, 2 }`
    Listed(Vec<Expr>),
    /// `[ value > 0 ]`
    Where(Box<Expr>),
}

/// Component that a data set must have: one by name, or a number of unnamed ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ComponentConstraint {
    pub(crate) role: Option<Role>,
    pub(crate) value_type: Option<ValueType>,
    pub(crate) name: Option<String>,
    /// Minimum and maximum number of matching components, from `_`, `_+` or `_*`.
    pub(crate) count: (usize, usize),
}

/// Component of a ruleset signature with its optional alias.
#[derive(Debug, Clone)]
pub(crate) struct SignatureItem {
    pub(crate) name: Ident,
    pub(crate) alias: Option<Ident>,
}

impl SignatureItem {
    /// Returns the name that the rules use: the alias if there is one.
    pub(crate) fn local_name(&self) -> &str {
        self.alias.as_ref().map_or(&self.name.text, |alias| &alias.text)
    }
}

/// `define datapoint ruleset`.
#[derive(Debug, Clone)]
pub(crate) struct DatapointRuleset {
    pub(crate) name: Ident,
    /// Whether the ruleset is defined on value domains; the call must then name the components.
    pub(crate) domains: bool,
    pub(crate) signature: Vec<SignatureItem>,
    pub(crate) rules: Vec<DatapointRule>,
}

#[derive(Debug, Clone)]
pub(crate) struct DatapointRule {
    pub(crate) name: Option<Ident>,
    pub(crate) when: Option<Expr>,
    pub(crate) then: Expr,
    pub(crate) error: ErrorLabels,
}

/// `errorcode` and `errorlevel`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ErrorLabels {
    pub(crate) code: Option<Cell>,
    pub(crate) level: Option<Cell>,
}

/// `define hierarchical ruleset`.
#[derive(Debug, Clone)]
pub(crate) struct HierarchicalRuleset {
    pub(crate) name: Ident,
    pub(crate) domains: bool,
    pub(crate) conditions: Vec<SignatureItem>,
    /// Variable or value domain whose code items the rules relate.
    pub(crate) rule: Ident,
    pub(crate) rules: Vec<HierarchicalRule>,
}

#[derive(Debug, Clone)]
pub(crate) struct HierarchicalRule {
    pub(crate) name: Option<Ident>,
    pub(crate) when: Option<Expr>,
    pub(crate) left: CodeItem,
    /// Comparison operator; only `Equal` rules compute values.
    pub(crate) relation: Op,
    pub(crate) right: Vec<SignedCodeItem>,
    pub(crate) error: ErrorLabels,
    pub(crate) span: Span,
}

/// Code item.
#[derive(Debug, Clone)]
pub(crate) struct CodeItem {
    pub(crate) code: String,
    pub(crate) span: Span,
}

/// Code item of the right side with its sign and optional condition.
#[derive(Debug, Clone)]
pub(crate) struct SignedCodeItem {
    pub(crate) minus: bool,
    pub(crate) item: CodeItem,
    pub(crate) condition: Option<Expr>,
}

/// `define viral propagation`: merges two values of a viral attribute into one.
#[derive(Debug, Clone)]
pub(crate) struct ViralPropagation {
    pub(crate) name: Ident,
    pub(crate) domain: bool,
    pub(crate) target: Ident,
    pub(crate) rule: PropagationRule,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PropagationRule {
    /// Clauses of one or two values with their result, and the result for all other pairs.
    Enumerated {
        clauses: Vec<(Cell, Option<Cell>, Option<Cell>)>,
        other: Option<Cell>,
    },
    Aggregate(crate::op::AggregateOp),
}
