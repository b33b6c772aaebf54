//! Analytic invocations, on components and on whole data sets (reference manual, "Analytic
//! invocation").

use schemas::structure::{Role, Type};

use super::component::{Level, Scope, constant, widen};
use super::typing::{Kind, article, found};
use super::{Checker, Value, column, positions, time_identifier};
use crate::ast::{self, Expr, Merge, Mode, Node, Window};
use crate::fault::{Code, Fault, Span, near};
use crate::op::{Aggregator, Analytic, default_name};
use crate::plan::{Field, Frame, Limit, Term, Typed};

impl Checker<'_> {
    /// In `calc` or `filter`.
    pub(super) fn component_window(
        &mut self,
        window: &Window,
        span: Span,
        scope: &mut Scope,
    ) -> Option<Typed> {
        if !matches!(scope.level, Level::Row) {
            return self.fault(Code::Structure, span, "an analytic invocation belongs in `calc` or `filter`");
        }
        let operand = match &window.operand {
            None => constant(None, span),
            Some(operand) => {
                let mut inner = Scope { fields: scope.fields.clone(), level: Level::Inner };
                self.component(operand, &mut inner)?
            }
        };
        let frame = self.frame(window, &scope.fields, span)?;
        self.analytic(frame, operand, span)
    }

    /// Over each measure of a data set.
    pub(super) fn dataset_window(&mut self, window: &Window, span: Span) -> Option<usize> {
        let Some(operand) = &window.operand else {
            return self.fault(Code::Structure, span, "`rank` belongs in `calc` or `filter`");
        };
        let step = self.data(operand)?;
        let fields = self.fields(step).to_vec();
        let frame = self.frame(window, &fields, span)?;
        if frame.op == Analytic::Aggregate(Aggregator::Count) {
            return self.points(step, &frame, span);
        }
        self.each_measure(step, &frame, span)
    }

    /// An analytic invocation over each measure.
    fn each_measure(&mut self, step: usize, frame: &Frame, span: Span) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let measures = positions(&fields, Role::Measure);
        if measures.is_empty() {
            let message = format!("`{}` needs a measure, the data set has none", frame.op.name());
            return self.fault(Code::Structure, span, message);
        }
        let mut columns = self.pass(step, |field| field.role == Role::Identifier);
        for at in measures {
            let field = fields.get(at)?;
            let typed = self.analytic(frame.clone(), column(at, field, span), span)?;
            let kind = typed.kind?;
            columns.push((Field { kind, from: Vec::new(), ..field.clone() }, typed));
        }
        columns.extend(self.viral_windows(&fields, frame, span)?);
        Some(self.map(step, columns, span))
    }

    /// `count` over a data set counts data points, whatever the measures.
    fn points(&mut self, step: usize, frame: &Frame, span: Span) -> Option<usize> {
        let one = constant(Some(schemas::table::Cell::Integer(1)), span);
        let typed = self.analytic(frame.clone(), one, span)?;
        let mut columns = self.pass(step, |field| field.role == Role::Identifier);
        let name = default_name(Type::Integer).to_owned();
        columns.push((Field { name, role: Role::Measure, kind: Type::Integer, from: Vec::new() }, typed));
        let fields = self.fields(step).to_vec();
        columns.extend(self.viral_windows(&fields, frame, span)?);
        Some(self.map(step, columns, span))
    }

    /// The viral attributes, each combined over the window of the data point.
    fn viral_windows(&mut self, fields: &[Field], frame: &Frame, span: Span) -> Option<Vec<(Field, Typed)>> {
        let mut columns = Vec::new();
        for at in positions(fields, Role::ViralAttribute) {
            let field = fields.get(at)?;
            let op = match self.merge_of(&field.name, field.kind)? {
                None => Analytic::Viral,
                Some(Merge::Aggregate(op)) => Analytic::Aggregate(op),
                Some(Merge::Enumerated { .. }) => {
                    let message = format!(
                        "the rule of `{}` lists values, which is not supported over windows",
                        field.name
                    );
                    return self.fault(Code::Unsupported, span, message);
                }
            };
            let frame = Frame { op, offset: None, default: None, ..frame.clone() };
            let typed = self.analytic(frame, column(at, field, span), span)?;
            columns.push((Field { kind: typed.kind?, from: Vec::new(), ..field.clone() }, typed));
        }
        Some(columns)
    }

    /// The extensions `ewma` and `chain_product`: along the time of each series.
    pub(super) fn series(
        &mut self,
        op: Analytic,
        step: usize,
        weight: Option<Typed>,
        span: Span,
    ) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let time = match time_identifier(&fields) {
            Ok(time) => time,
            Err(reason) => return self.fault(Code::Structure, span, reason),
        };
        let partition = positions(&fields, Role::Identifier).into_iter().filter(|at| *at != time).collect();
        let frame = Frame {
            op,
            operand: constant(None, span),
            offset: weight,
            default: None,
            partition,
            order: vec![(time, false)],
            lengths: Vec::new(),
            range: false,
            from: Limit::First,
            to: Limit::Current,
        };
        self.each_measure(step, &frame, span)
    }

    /// The operand and what comes out.
    fn analytic(&mut self, frame: Frame, operand: Typed, span: Span) -> Option<Typed> {
        let kind = match frame.op {
            Analytic::Aggregate(op) => Some(self.aggregated(op, operand.kind, true, span)?),
            Analytic::Rank => Some(Type::Integer),
            Analytic::Ratio | Analytic::Ewma | Analytic::Product => {
                if operand.kind.is_some_and(|kind| !matches!(kind, Type::Integer | Type::Number)) {
                    let message =
                        format!("`{}` expected a number, found {}", frame.op.name(), found(operand.kind));
                    return self.fault(Code::Type, span, message);
                }
                Some(Type::Number)
            }
            Analytic::First | Analytic::Last | Analytic::Lag | Analytic::Lead | Analytic::Viral => {
                operand.kind
            }
        };
        let default = match frame.default.clone() {
            Some(default) => Some(self.fallback(default, kind, frame.op)?),
            None => None,
        };
        let frame = Frame { operand, default, ..frame };
        Some(Typed { term: Term::Window(Box::new(frame)), kind, span })
    }

    /// The default of `lag` and `lead` is of the type of the operand.
    fn fallback(&mut self, default: Typed, kind: Kind, op: Analytic) -> Option<Typed> {
        let default = widen(default, kind);
        if default.kind.is_none() || kind.is_none() || default.kind == kind {
            return Some(default);
        }
        let wanted = kind.map_or(String::new(), article);
        let message =
            format!("the default of `{}` is {wanted} here, found {}", op.name(), found(default.kind));
        self.fault(Code::Type, default.span, message)
    }

    /// Partition, order and window, without the operand.
    fn frame(&mut self, window: &Window, fields: &[Field], span: Span) -> Option<Frame> {
        let mut order = Vec::new();
        for (component, down) in &window.order {
            order.push((self.place(component, fields)?, *down));
        }
        let partition = self.partition(window, &order, fields)?;
        self.fitting(window, span)?;
        let offset = match &window.offset {
            Some(offset) => Some(self.positive(offset, window.op)?),
            None => None,
        };
        let default = match &window.default {
            Some(default) => Some(self.scalar(default)?),
            None => None,
        };
        let (range, from, to) = self.limits(window, &order, fields)?;
        let long = |at: &usize| fields.get(*at).is_some_and(|field| field.kind == Type::Duration);
        let lengths = order.iter().map(|(at, _)| *at).filter(long).collect();
        Some(Frame {
            op: window.op,
            operand: constant(None, span),
            offset,
            default,
            partition,
            order,
            lengths,
            range,
            from,
            to,
        })
    }

    /// The identifiers that partition; by default those that do not order.
    fn partition(
        &mut self,
        window: &Window,
        order: &[(usize, bool)],
        fields: &[Field],
    ) -> Option<Vec<usize>> {
        let identifiers = positions(fields, Role::Identifier);
        let mut named = Vec::new();
        for component in window.partition.iter().flat_map(|(_, names)| names) {
            let at = self.place(component, fields)?;
            if !identifiers.contains(&at) {
                let message =
                    format!("`{}` is no identifier: partitions are made by identifiers", component.name.text);
                return self.fault(Code::Structure, component.name.span, message);
            }
            named.push(at);
        }
        Some(match &window.partition {
            Some((Mode::By, _)) => named,
            Some((Mode::Except, _)) => identifiers.into_iter().filter(|at| !named.contains(at)).collect(),
            Some((Mode::All, _)) => Vec::new(),
            None => identifiers.into_iter().filter(|at| !order.iter().any(|(by, _)| by == at)).collect(),
        })
    }

    /// Which of partition, order and window an operator needs and takes.
    fn fitting(&mut self, window: &Window, span: Span) -> Option<()> {
        let (ordered, framed) = (!window.order.is_empty(), window.frame.is_some());
        let message = match window.op {
            Analytic::Lag | Analytic::Lead | Analytic::Rank if !ordered || framed => {
                format!("`{}` needs `order by` and takes no window", window.op.name())
            }
            Analytic::Ratio if window.partition.is_none() || ordered || framed => {
                "`ratio_to_report` needs `partition` and takes neither `order by` nor a window".to_owned()
            }
            _ => return Some(()),
        };
        self.fault(Code::Structure, span, message)
    }

    /// The ends of the window. Without one it is the partition, or with an order all data points up
    /// to the current one and those that the order does not tell from it.
    fn limits(
        &mut self,
        window: &Window,
        order: &[(usize, bool)],
        fields: &[Field],
    ) -> Option<(bool, Limit, Limit)> {
        let moves = matches!(window.op, Analytic::Lag | Analytic::Lead | Analytic::Rank);
        let Some(frame) = &window.frame else {
            let whole = order.is_empty() || moves;
            let to = if whole { Limit::Last } else { Limit::Current };
            return Some((!whole, Limit::First, to));
        };
        let kind = if frame.range { self.range_kind(frame, order, fields)? } else { Type::Integer };
        let from = self.limit(&frame.from, kind)?;
        Some((frame.range, from, self.limit(&frame.to, kind)?))
    }

    /// The type of the limits of a `range`: differences of the one component that orders.
    fn range_kind(&mut self, frame: &ast::Frame, order: &[(usize, bool)], fields: &[Field]) -> Option<Type> {
        let counted = [&frame.from, &frame.to].into_iter().find_map(|limit| match limit {
            ast::Limit::Before(count) | ast::Limit::After(count) => Some(count.span),
            _ => None,
        });
        let Some(span) = counted else { return Some(Type::Integer) };
        let [(at, _)] = order else {
            return self.fault(
                Code::Structure,
                span,
                "a `range` in numbers needs one component in `order by`",
            );
        };
        let field = fields.get(*at)?;
        match field.kind {
            Type::Integer | Type::Date | Type::TimePeriod => Some(Type::Integer),
            Type::Number => Some(Type::Number),
            kind => {
                let message = format!("`{}` is {}: it has no differences", field.name, article(kind));
                let hint = "order by a number, a date or a time period, or write `data points`";
                self.faults.push(Fault::new(Code::Type, span, message).hint(hint));
                None
            }
        }
    }

    fn limit(&mut self, limit: &ast::Limit, kind: Type) -> Option<Limit> {
        Some(match limit {
            ast::Limit::First => Limit::First,
            ast::Limit::Last => Limit::Last,
            ast::Limit::Current => Limit::Current,
            ast::Limit::Before(count) => Limit::Offset(self.quantity(count, kind)?, true),
            ast::Limit::After(count) => Limit::Offset(self.quantity(count, kind)?, false),
        })
    }

    /// A scalar that is an integer, or a number where that is asked for.
    fn quantity(&mut self, expr: &Expr, kind: Type) -> Option<Typed> {
        let typed = widen(self.scalar(expr)?, Some(kind));
        if typed.kind == Some(kind) {
            return Some(typed);
        }
        let message = format!("expected {}, found {}", article(kind), found(typed.kind));
        self.fault(Code::Type, expr.span, message)
    }

    /// A number of data points above 0; that of a scalar by name is looked at when it is known.
    fn positive(&mut self, expr: &Expr, op: Analytic) -> Option<Typed> {
        let typed = self.quantity(expr, Type::Integer)?;
        if let Term::Constant(Some(schemas::table::Cell::Integer(count))) = typed.term
            && count <= 0
        {
            let message = format!("`{}` needs a number of data points above 0", op.name());
            return self.fault(Code::Type, expr.span, message);
        }
        Some(typed)
    }

    /// A literal or the name of a scalar, whatever components there are.
    pub(super) fn scalar(&mut self, expr: &Expr) -> Option<Typed> {
        if let Node::Name(name) = &expr.node
            && self.calls.is_empty()
            && !self.names.contains_key(name)
        {
            let hint = near(name, self.names.keys().map(String::as_str));
            let message = format!("no scalar is called `{name}`");
            self.faults.push(Fault::new(Code::UnknownName, expr.span, message).hinted(hint));
            return None;
        }
        match self.expr(expr)? {
            Value::Scalar(typed) => Some(typed),
            Value::Data(_) => self.fault(Code::Type, expr.span, "expected a scalar, found a data set"),
        }
    }
}
