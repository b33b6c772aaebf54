//! Expressions at data set level: operators over whole data sets, brought to joins and maps.

use std::collections::BTreeSet;

use schemas::structure::Role;

use super::call::BoundArgument;
use super::component::{constant, membership, typeless};
use super::typing::found;
use super::{Checker, ExprValue, column_expr, positions};
use crate::ast::{Expr, ExprNode, Ident};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span};
use crate::op::{Op, TimeOp, default_name};
use crate::plan::{JoinColumn, JoinMode, Operation, PlanColumn, Term, TypedExpr};

impl Checker<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Option<ExprValue> {
        self.deeper(expr.span, |checker| checker.expr_here(expr))
    }

    fn expr_here(&mut self, expr: &Expr) -> Option<ExprValue> {
        match &expr.node {
            ExprNode::Constant(cell) => Some(ExprValue::Scalar(constant(cell.clone(), expr.span))),
            ExprNode::Name(name) if !self.calls.is_empty() => self.parameter(name, expr.span),
            ExprNode::Name(name) => match self.names.get(name)?.clone()? {
                ExprValue::Scalar(typed) => Some(ExprValue::Scalar(TypedExpr { span: expr.span, ..typed })),
                data => Some(data),
            },
            ExprNode::Member(operand, name) => self.member(operand, name, expr.span),
            ExprNode::Apply(op, operands) => {
                let values: Vec<Option<ExprValue>> =
                    operands.iter().map(|operand| self.expr(operand)).collect();
                let values: Option<Vec<ExprValue>> = values.into_iter().collect();
                self.operator(*op, values?, operands, expr.span)
            }
            ExprNode::Shift(operand, count) => self.shift(operand, count, expr.span),
            ExprNode::Series(op, operand) => self.along(*op, operand, expr.span).map(ExprValue::Data),
            ExprNode::Aggregate(aggregate) => self.aggregate(aggregate, expr.span),
            ExprNode::Window(window) => self.dataset_window(window, expr.span).map(ExprValue::Data),
            ExprNode::Clause(operand, clause) => {
                let step = self.data(operand)?;
                self.clause(step, clause, expr.span).map(ExprValue::Data)
            }
            ExprNode::Join(join) => self.join(join, expr.span).map(ExprValue::Data),
            ExprNode::Call(name, arguments) => self.call(name, arguments, expr.span),
            ExprNode::Omitted | ExprNode::List(_) => {
                self.fault(DiagnosticCode::Syntax, expr.span, "expected an expression")
            }
            ExprNode::Domain { operand, domain, negated } => {
                let value = self.expr(operand);
                let list = self.listed(domain, expr.span)?;
                let mut values = vec![value?];
                values.extend(list.into_iter().map(ExprValue::Scalar));
                self.operator(membership(*negated), values, std::slice::from_ref(operand), expr.span)
            }
            ExprNode::Set(op, operands) => self.combine(*op, operands, expr.span).map(ExprValue::Data),
            ExprNode::ExistsIn(left, right, retain) => {
                self.exists(left, right, *retain, expr.span).map(ExprValue::Data)
            }
            ExprNode::Check(check) => self.check_points(check, expr.span),
            ExprNode::CheckDatapoint(check) => self.check_datapoint(check, expr.span),
            ExprNode::CheckHierarchy(call) => self.hierarchy(call, true, expr.span),
            ExprNode::Hierarchy(call) => self.hierarchy(call, false, expr.span),
        }
    }

    /// A parameter of the operator whose body is being checked.
    fn parameter(&mut self, name: &str, span: Span) -> Option<ExprValue> {
        match self.bound(name).cloned() {
            Some(BoundArgument::Data(step)) => Some(ExprValue::Data(step)),
            Some(BoundArgument::Scalar(typed)) => self.expanded(&typed, span).map(ExprValue::Scalar),
            Some(BoundArgument::Faulty) => None,
            Some(_) => {
                self.fault(DiagnosticCode::Type, span, format!("`{name}` is neither a data set nor a scalar"))
            }
            None => self.outside(name, span),
        }
    }

    /// An operator over data sets and scalars.
    fn operator(
        &mut self,
        op: Op,
        values: Vec<ExprValue>,
        operands: &[Expr],
        span: Span,
    ) -> Option<ExprValue> {
        let sets: Vec<usize> = values
            .iter()
            .filter_map(|value| if let ExprValue::Data(step) = value { Some(*step) } else { None })
            .collect();
        match (op, sets.as_slice()) {
            (_, []) => {
                let scalars = values.into_iter().filter_map(|value| {
                    if let ExprValue::Scalar(typed) = value { Some(typed) } else { None }
                });
                self.apply(op, scalars.collect(), span).map(ExprValue::Scalar)
            }
            (Op::Time(op @ (TimeOp::Indicator | TimeOp::Add)), [only]) => {
                self.timely(op, *only, &values, span).map(ExprValue::Data)
            }
            (Op::Time(TimeOp::Indicator | TimeOp::Add), _) => {
                self.fault(DiagnosticCode::Structure, span, format!("`{}` takes one data set", op.name()))
            }
            (Op::If, _) => self.choice(values, operands, span).map(ExprValue::Data),
            (_, [only]) => self.rowwise(op, *only, &values, span).map(ExprValue::Data),
            (_, sets) => self.several(op, sets, &values, operands, span).map(ExprValue::Data),
        }
    }

    /// One data set, and scalars: the operator on each measure.
    fn rowwise(&mut self, op: Op, step: usize, values: &[ExprValue], span: Span) -> Option<usize> {
        let columns = self.columns(step).to_vec();
        let measures = self.measures(op, &columns, span)?;
        let mut outputs = self.pass(step, carried);
        for at in measures {
            let column = columns.get(at)?;
            let operands = values.iter().map(|value| match value {
                ExprValue::Data(_) => column_expr(at, column, span),
                ExprValue::Scalar(typed) => typed.clone(),
            });
            let typed = self.apply(op, operands.collect(), span)?;
            outputs.push(self.measure(op, &column.name, typed)?);
        }
        Some(self.map(step, outputs, span))
    }

    /// The measures that an operator is applied to, or a fault.
    fn measures(&mut self, op: Op, columns: &[PlanColumn], span: Span) -> Option<Vec<usize>> {
        let measures = positions(columns, Role::Measure);
        if measures.is_empty() {
            return self.fault(
                DiagnosticCode::Structure,
                span,
                format!("`{}` needs a measure, the data set has none", op.name()),
            );
        }
        if op.renames() && measures.len() != 1 {
            let message =
                format!("`{}` needs a data set with one measure, found {}", op.name(), measures.len());
            self.faults.push(
                Diagnostic::new(DiagnosticCode::Structure, span, message)
                    .with_hint("choose one: `DS#measure`"),
            );
            return None;
        }
        Some(measures)
    }

    /// The measure that an operator gives.
    fn measure(&mut self, op: Op, name: &str, typed: TypedExpr) -> Option<(PlanColumn, TypedExpr)> {
        let Some(value_type) = typed.value_type else {
            self.faults.push(typeless(name, typed.span));
            return None;
        };
        let name = if op.renames() { default_name(value_type) } else { name };
        Some((PlanColumn { name: name.to_owned(), role: Role::Measure, value_type, from: Vec::new() }, typed))
    }

    /// Several data sets, and scalars: joined on their common identifiers, the operator on measures
    /// of one name.
    fn several(
        &mut self,
        op: Op,
        sets: &[usize],
        values: &[ExprValue],
        operands: &[Expr],
        span: Span,
    ) -> Option<usize> {
        let (first, rest) = sets.split_first()?;
        let columns = self.columns(*first).to_vec();
        let measures = self.measures(op, &columns, span)?;
        let mut joined = *first;
        for set in rest {
            let others = self.columns(*set).to_vec();
            self.same_measures(&columns, &others, operands, span)?;
            joined = self.align((joined, *set), span)?;
        }
        let columns = self.columns(joined).to_vec();
        let mut outputs = self.pass(joined, carried);
        for at in &measures {
            let name = self.columns(*first).get(*at)?.name.clone();
            let homonyms = positions(&columns, Role::Measure)
                .into_iter()
                .filter(|at| columns.get(*at).is_some_and(|f| f.name == name));
            let mut homonyms = homonyms.filter_map(|at| Some(column_expr(at, columns.get(at)?, span)));
            let each = values.iter().map(|value| match value {
                ExprValue::Data(_) => homonyms.next(),
                ExprValue::Scalar(typed) => Some(typed.clone()),
            });
            let each: Option<Vec<TypedExpr>> = each.collect();
            let typed = self.apply(op, each?, span)?;
            outputs.push(self.measure(op, &name, typed)?);
        }
        Some(self.map(joined, outputs, span))
    }

    fn same_measures(
        &mut self,
        left: &[PlanColumn],
        right: &[PlanColumn],
        operands: &[Expr],
        span: Span,
    ) -> Option<()> {
        let names = |columns: &[PlanColumn]| -> BTreeSet<String> {
            columns
                .iter()
                .filter(|column| column.role == Role::Measure)
                .map(|column| column.name.clone())
                .collect()
        };
        let (a, b) = (names(left), names(right));
        if a == b {
            return Some(());
        }
        let list = |names: &BTreeSet<String>| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
        };
        let message = format!("the data sets have different measures: {} and {}", list(&a), list(&b));
        let span = operands.get(1).map_or(span, |operand| operand.span);
        let hint = "select or rename a measure first: `DS#measure`, `DS[rename … to …]`";
        self.faults.push(Diagnostic::new(DiagnosticCode::Structure, span, message).with_hint(hint));
        None
    }

    /// Joins two data sets where the identifiers of one contain those of the other: their measures
    /// side by side, their viral attributes as one.
    pub(super) fn align(&mut self, sides: (usize, usize), span: Span) -> Option<usize> {
        let columns = (self.columns(sides.0).to_vec(), self.columns(sides.1).to_vec());
        let (left, right) =
            (positions(&columns.0, Role::Identifier), positions(&columns.1, Role::Identifier));
        let keys: Vec<(usize, usize)> =
            left.iter().filter_map(|at| Some((*at, partner(&columns.0, *at, &columns.1)?))).collect();
        if keys.len() != left.len().min(right.len()) {
            let message = "the identifiers of neither data set contain those of the other";
            return self.fault(DiagnosticCode::Structure, span, message);
        }
        for (a, b) in &keys {
            self.same_kind(columns.0.get(*a)?, columns.1.get(*b)?, span)?;
        }
        let wide_left = left.len() >= right.len();
        let mut outputs: Vec<JoinColumn> = if wide_left {
            left.iter().map(|at| JoinColumn::Left(*at)).collect()
        } else {
            right.iter().map(|at| JoinColumn::Right(*at)).collect()
        };
        for role in [Role::Measure, Role::ViralAttribute] {
            outputs.extend(positions(&columns.0, role).into_iter().map(JoinColumn::Left));
            outputs.extend(positions(&columns.1, role).into_iter().map(JoinColumn::Right));
        }
        let described = outputs.iter().filter_map(|side| match side {
            JoinColumn::Left(at) | JoinColumn::Either(at, _) => columns.0.get(*at).cloned(),
            JoinColumn::Right(at) => columns.1.get(*at).cloned(),
        });
        let described = described.collect();
        let outputs = outputs.into_iter().map(|side| (side, None)).collect();
        let matching = JoinMode::Inner;
        let operation = Operation::Join { left: sides.0, right: sides.1, keys, outputs, matching };
        let step = self.push(operation, described, span);
        self.merged_virals(step, span)
    }

    /// Identifiers that match must be of one type.
    pub(super) fn same_kind(&mut self, a: &PlanColumn, b: &PlanColumn, span: Span) -> Option<()> {
        if a.value_type == b.value_type {
            return Some(());
        }
        let message = format!(
            "identifier `{}` is {} in one data set and {} in the other",
            a.name,
            found(Some(a.value_type)),
            found(Some(b.value_type))
        );
        self.fault(DiagnosticCode::Type, span, message)
    }

    /// `operand # name` (reference manual, "Membership").
    fn member(&mut self, operand: &Expr, name: &Ident, span: Span) -> Option<ExprValue> {
        let name = &self.meant(name).into_owned();
        let step = self.data(operand)?;
        let columns = self.columns(step).to_vec();
        let typed = self.lookup(None, &name.text, name.span, &columns)?;
        let (at, column) = columns.iter().enumerate().find(|(_, column)| column.name == name.text)?;
        if positions(&columns, Role::Identifier).is_empty() {
            let picked = self.push(Operation::Pick { input: step, column: at }, Vec::new(), span);
            return Some(ExprValue::Scalar(TypedExpr {
                term: Term::Scalar(picked),
                value_type: Some(column.value_type),
                span,
            }));
        }
        let mut outputs = self.pass(step, carried);
        let shown =
            if column.role == Role::Measure { column.name.as_str() } else { default_name(column.value_type) };
        let measure = PlanColumn {
            name: shown.to_owned(),
            role: Role::Measure,
            value_type: column.value_type,
            from: Vec::new(),
        };
        outputs.push((measure, typed));
        Some(ExprValue::Data(self.map(step, outputs, span)))
    }
}

/// Whether operators on whole data sets carry a component on: identifiers and viral attributes.
pub(super) fn carried(column: &PlanColumn) -> bool {
    matches!(column.role, Role::Identifier | Role::ViralAttribute)
}

/// The column of the other side that has the name and the role class of one of this side.
fn partner(columns: &[PlanColumn], at: usize, other: &[PlanColumn]) -> Option<usize> {
    let column = columns.get(at)?;
    other.iter().position(|candidate| candidate.name == column.name && candidate.role == column.role)
}
