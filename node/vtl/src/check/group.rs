//! Aggregates with their grouping and `having` (reference manual, "Aggregate invocation").
//!
//! A grouping gives its keys and its aggregates; `having` adds further aggregates, a filter on
//! them, and a map that takes them away again.

use schemas::structure::{Role, Type};

use super::component::{Level, Scope};
use super::time::reference;
use super::viral::viral_kind;
use super::{Checker, Value, column, positions};
use crate::ast::{Aggregate, Assign, Expr, Grouping, Mode, Node};
use crate::fault::{Code, Span};
use crate::op::{Aggregator, Op, Time, default_name};
use crate::plan::{Field, Key, Operation, Summary, Viral};

impl Checker<'_> {
    /// An aggregate of a whole data set: of each of its measures.
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, span: Span) -> Option<Value> {
        let Some(operand) = &aggregate.operand else {
            return self.fault(Code::Structure, span, "`count()` belongs in `aggr` or `having`");
        };
        let step = self.data(operand)?;
        let fields = self.fields(step).to_vec();
        let op = aggregate.op;
        let mut columns = Vec::new();
        if op == Aggregator::Count {
            let summary = Summary { op, operand: None, kind: Type::Integer, span, viral: None };
            columns.push((measure(default_name(Type::Integer), Role::Measure, Type::Integer), summary));
        } else {
            let measures = positions(&fields, Role::Measure);
            if measures.is_empty() {
                let message = format!("`{}` needs a measure, the data set has none", op.name());
                return self.fault(Code::Structure, span, message);
            }
            for at in measures {
                let field = fields.get(at)?;
                let kind = self.aggregated(op, Some(field.kind), true, span)?;
                let operand = Some(column(at, field, span));
                let summary = Summary { op, operand, kind, span, viral: None };
                columns.push((measure(&field.name, Role::Measure, kind), summary));
            }
        }
        self.groups(step, columns, aggregate.grouping.as_ref(), aggregate.having.as_ref(), span)
            .map(Value::Data)
    }

    /// The clause `aggr`.
    pub(super) fn aggr(
        &mut self,
        step: usize,
        items: &[Assign],
        grouping: Option<&Grouping>,
        having: Option<&Expr>,
        span: Span,
    ) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let mut columns: Vec<(Field, Summary)> = Vec::new();
        let mut sound = true;
        for item in items {
            match self.aggregated_item(item, &fields, &columns) {
                Some(column) => columns.push(column),
                None => sound = false,
            }
        }
        if sound { self.groups(step, columns, grouping, having, span) } else { None }
    }

    fn aggregated_item(
        &mut self,
        item: &Assign,
        fields: &[Field],
        made: &[(Field, Summary)],
    ) -> Option<(Field, Summary)> {
        let Node::Aggregate(aggregate) = &item.expr.node else {
            return self.fault(Code::Structure, item.expr.span, "expected an aggregate such as `sum(…)`");
        };
        if aggregate.grouping.is_some() {
            let message = "the grouping of `aggr` stands behind all its aggregates";
            return self.fault(Code::Structure, item.expr.span, message);
        }
        let name = &item.target.name;
        self.fresh(&item.target, made.iter().map(|(field, _)| field))?;
        let existing = fields.iter().find(|field| field.name == name.text).map(|field| field.role);
        if existing == Some(Role::Identifier) || item.role == Some(Role::Identifier) {
            let message = format!("an aggregate cannot be the identifier `{}`", name.text);
            return self.fault(Code::Structure, name.span, message);
        }
        let summary = self.summary(aggregate.op, aggregate.operand.as_ref(), item.expr.span, fields)?;
        let role = item.role.or(existing).unwrap_or(Role::Measure);
        Some((measure(&name.text, role, summary.kind), summary))
    }

    /// The grouping step and what `having` needs behind it.
    fn groups(
        &mut self,
        step: usize,
        columns: Vec<(Field, Summary)>,
        grouping: Option<&Grouping>,
        having: Option<&Expr>,
        span: Span,
    ) -> Option<usize> {
        let fields = self.fields(step).to_vec();
        let keys = self.keys(&fields, grouping)?;
        let mut columns = columns;
        columns.extend(self.virals(&fields, &columns, span)?);
        columns.sort_by_key(|(field, _)| field.role);
        let mut shape: Vec<Field> = keys.iter().filter_map(|key| fields.get(key.column)).cloned().collect();
        shape.iter_mut().for_each(|field| field.from.clear());
        let (made, summaries): (Vec<Field>, Vec<Summary>) = columns.into_iter().unzip();
        shape.extend(made);
        if let Some(clash) =
            shape.iter().enumerate().find(|(at, field)| shape.iter().take(*at).any(|f| f.name == field.name))
        {
            let message = format!("the result would have two components `{}`", clash.1.name);
            return self.fault(Code::Duplicate, span, message);
        }
        let Some(having) = having else {
            return Some(self.push(Operation::Group { input: step, keys, summaries }, shape, span));
        };
        let mut scope = Scope { fields, level: Level::Group { keys: keys.len(), summaries } };
        let condition = self.condition(having, &mut scope)?;
        let Level::Group { summaries, .. } = scope.level else { return None };
        let visible = shape.len();
        for (at, summary) in summaries.iter().enumerate().skip(visible - keys.len()) {
            shape.push(measure(&format!("having {at}"), Role::Attribute, summary.kind));
        }
        let grouped = self.push(Operation::Group { input: step, keys, summaries }, shape.clone(), span);
        let filtered = self.push(Operation::Filter { input: grouped, condition }, shape, having.span);
        let columns = self.pass(filtered, |_| true).into_iter().take(visible).collect();
        Some(self.map(filtered, columns, span))
    }

    /// The viral attributes that are not calculated anew.
    fn virals(
        &mut self,
        fields: &[Field],
        made: &[(Field, Summary)],
        span: Span,
    ) -> Option<Vec<(Field, Summary)>> {
        let anew = |field: &Field| made.iter().any(|(other, _)| other.name == field.name);
        let carried =
            fields.iter().enumerate().filter(|(_, field)| field.role == Role::ViralAttribute && !anew(field));
        let combined = carried.map(|(at, field)| {
            let rule = self.merge_of(&field.name, field.kind)?;
            let kind = viral_kind(rule.as_ref(), field.kind);
            let operand = Some(column(at, field, span));
            let viral = Some(Viral(rule));
            let summary = Summary { op: Aggregator::Min, operand, kind, span, viral };
            Some((measure(&field.name, Role::ViralAttribute, kind), summary))
        });
        combined.collect()
    }

    /// The identifiers that group, in the order of the data set.
    fn keys(&mut self, fields: &[Field], grouping: Option<&Grouping>) -> Option<Vec<Key>> {
        let Some(grouping) = grouping else { return Some(Vec::new()) };
        let identifiers = positions(fields, Role::Identifier);
        let mut named = Vec::new();
        for component in &grouping.names {
            let at = self.place(component, fields)?;
            let name = &component.name;
            if !identifiers.contains(&at) {
                let message = format!("`{}` is no identifier: groups are made by identifiers", name.text);
                return self.fault(Code::Structure, name.span, message);
            }
            if named.contains(&at) {
                let message = format!("`{}` is given twice in one clause", name.text);
                return self.fault(Code::Duplicate, name.span, message);
            }
            named.push(at);
        }
        let chosen: Vec<usize> = match grouping.mode {
            Mode::By => identifiers.into_iter().filter(|at| named.contains(at)).collect(),
            Mode::Except => identifiers.into_iter().filter(|at| !named.contains(at)).collect(),
            Mode::All => identifiers,
        };
        let mut keys: Vec<Key> = chosen.into_iter().map(|column| Key { column, convert: None }).collect();
        self.convert(&mut keys, fields, grouping)?;
        Some(keys)
    }

    /// `time_agg`: the time identifier is converted before it groups.
    fn convert(&mut self, keys: &mut [Key], fields: &[Field], grouping: &Grouping) -> Option<()> {
        let Some((convert, span)) = grouping.time else { return Some(()) };
        let at = match reference(fields) {
            Ok(at) => at,
            Err(reason) => return self.fault(Code::Structure, span, reason),
        };
        let operand = column(at, fields.get(at)?, span);
        self.apply(Op::Time(Time::Aggregate(convert)), vec![operand], span)?;
        match keys.iter_mut().find(|key| key.column == at) {
            Some(key) => {
                key.convert = Some(convert);
                Some(())
            }
            None => {
                let name = fields.get(at).map_or("", |field| &field.name);
                let message =
                    format!("`time_agg` converts `{name}`, which is not among the identifiers that group");
                self.fault(Code::Structure, grouping.span, message)
            }
        }
    }
}

fn measure(name: &str, role: Role, kind: Type) -> Field {
    Field { name: name.to_owned(), role, kind, from: Vec::new() }
}
