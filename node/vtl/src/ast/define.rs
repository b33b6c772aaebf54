//! What a script defines beside results: operators, rulesets, propagation of viral attributes
//! (grammar rule `defOperators`).

use std::collections::BTreeMap;

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::{Expr, Ident};
use crate::diagnostic::Span;
use crate::op::Op;

/// Every definition of a script by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    pub(crate) operators: BTreeMap<String, OperatorDefinition>,
    pub(crate) datapoint: BTreeMap<String, DatapointRuleset>,
    pub(crate) hierarchical: BTreeMap<String, HierarchicalRuleset>,
    /// By the name of the attribute.
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

/// A parameter; with a default it may be left out.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) parameter_type: ParameterType,
    pub(crate) default: Option<Expr>,
}

/// What a parameter or a result may be.
#[derive(Debug, Clone)]
pub(crate) enum ParameterType {
    Scalar(ScalarConstraint),
    /// A component, of a role when one is named.
    Component(Option<Role>, ScalarConstraint),
    /// A data set with at least these components.
    Data(Vec<ComponentConstraint>),
    /// A list of values.
    Set,
    Ruleset,
}

/// A scalar type, perhaps of some of its values only.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScalarConstraint {
    /// Any type when none is named.
    pub(crate) value_type: Option<ValueType>,
    pub(crate) subset: Option<ValueSubset>,
    /// Whether null is none of its values.
    pub(crate) never_null: bool,
}

/// Some values of a type.
#[derive(Debug, Clone)]
pub(crate) enum ValueSubset {
    /// `{ 1, 2 }`
    Listed(Vec<Expr>),
    /// `[ value > 0 ]`
    Where(Box<Expr>),
}

/// A component that a data set must have: by name, or (without) as many as the modifier says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ComponentConstraint {
    pub(crate) role: Option<Role>,
    pub(crate) value_type: Option<ValueType>,
    pub(crate) name: Option<String>,
    /// `_`, `_+`, `_*`: fewest and most of them.
    pub(crate) count: (usize, usize),
}

/// A component of a signature and the name that the rules have for it.
#[derive(Debug, Clone)]
pub(crate) struct SignatureItem {
    pub(crate) name: Ident,
    pub(crate) alias: Option<Ident>,
}

impl SignatureItem {
    /// The name that the rules use.
    pub(crate) fn local_name(&self) -> &str {
        self.alias.as_ref().map_or(&self.name.text, |alias| &alias.text)
    }
}

/// `define datapoint ruleset`.
#[derive(Debug, Clone)]
pub(crate) struct DatapointRuleset {
    pub(crate) name: Ident,
    /// Whether it is defined on value domains, so that the call names the components.
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
    /// The variable or value domain whose code items the rules relate.
    pub(crate) rule: Ident,
    pub(crate) rules: Vec<HierarchicalRule>,
}

#[derive(Debug, Clone)]
pub(crate) struct HierarchicalRule {
    pub(crate) name: Option<Ident>,
    pub(crate) when: Option<Expr>,
    pub(crate) left: CodeItem,
    /// One of the comparisons; `Equal` also computes.
    pub(crate) relation: Op,
    pub(crate) right: Vec<SignedCodeItem>,
    pub(crate) error: ErrorLabels,
    pub(crate) span: Span,
}

/// A code item.
#[derive(Debug, Clone)]
pub(crate) struct CodeItem {
    pub(crate) code: String,
    pub(crate) span: Span,
}

/// A code item of the right side, added or taken away, where its condition holds.
#[derive(Debug, Clone)]
pub(crate) struct SignedCodeItem {
    pub(crate) minus: bool,
    pub(crate) item: CodeItem,
    pub(crate) condition: Option<Expr>,
}

/// `define viral propagation`: how two values of a viral attribute become one.
#[derive(Debug, Clone)]
pub(crate) struct ViralPropagation {
    pub(crate) name: Ident,
    pub(crate) domain: bool,
    pub(crate) target: Ident,
    pub(crate) rule: PropagationRule,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PropagationRule {
    /// Clauses of two values or one, with their result, and the result of all other pairs.
    Enumerated {
        clauses: Vec<(Cell, Option<Cell>, Option<Cell>)>,
        other: Option<Cell>,
    },
    Aggregate(crate::op::AggregateOp),
}
