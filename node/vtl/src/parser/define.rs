//! Definitions (grammar rule `defOperators`): operators and the types of their parameters,
//! rulesets, propagation of viral attributes.

use schemas::structure::{Role, ValueType};
use schemas::table::Cell;

use super::{ParseResult, Parser};
use crate::ast::{
    CodeItem, ComponentConstraint, DatapointRule, DatapointRuleset, Definitions, ErrorLabels, ExprNode,
    HierarchicalRule, HierarchicalRuleset, Ident, OperatorDefinition, Parameter, ParameterType,
    PropagationRule, ScalarConstraint, SignatureItem, SignedCodeItem, ValueSubset, ViralPropagation,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::lexer::Token;
use crate::op::{AggregateOp, Op};

impl Parser<'_> {
    /// `define … end …;`
    pub(super) fn definition(&mut self) -> ParseResult<()> {
        self.at += 1;
        match self.token() {
            Token::Word("operator") => self.operator(),
            Token::Word("datapoint") => self.datapoint(),
            Token::Word("hierarchical") => self.hierarchical(),
            Token::Word("viral") => self.propagation(),
            _ => self
                .expected("`operator`, `datapoint ruleset`, `hierarchical ruleset` or `viral propagation`"),
        }
    }

    /// `end` and the words that the definition began with.
    fn end(&mut self, words: &[&'static str]) -> ParseResult<()> {
        self.require_word("end")?;
        for word in words {
            self.require_word(word)?;
        }
        self.require(";")
    }

    /// Keeps a definition, unless its name is taken.
    fn defined<T>(
        &mut self,
        name: &Ident,
        definition: T,
        place: fn(&mut Definitions) -> &mut std::collections::BTreeMap<String, T>,
    ) {
        let definitions = &mut self.definitions;
        let taken = definitions.operators.contains_key(&name.text)
            || definitions.datapoint.contains_key(&name.text)
            || definitions.hierarchical.contains_key(&name.text)
            || place(definitions).contains_key(&name.text);
        if taken {
            let message = format!("`{}` is defined a second time", name.text);
            self.faults.push(Diagnostic::new(DiagnosticCode::Duplicate, name.span, message));
        } else {
            place(definitions).insert(name.text.clone(), definition);
        }
    }

    fn operator(&mut self) -> ParseResult<()> {
        self.at += 1;
        let name = self.name("the name of the operator")?;
        self.require("(")?;
        let parameters =
            if self.token() == Token::Symbol(")") { Vec::new() } else { self.list(Self::parameter)? };
        self.require(")")?;
        let returns = if self.word("returns") {
            let start = self.span();
            Some((self.kind()?, start.to(self.past())))
        } else {
            None
        };
        self.require_word("is")?;
        let body = self.expr()?;
        self.end(&["operator"])?;
        self.defined(&name.clone(), OperatorDefinition { name, parameters, returns, body }, |d| {
            &mut d.operators
        });
        Ok(())
    }

    fn parameter(&mut self) -> ParseResult<Parameter> {
        let name = self.name("the name of a parameter")?;
        let parameter_type = self.kind()?;
        let default = if self.word("default") { Some(self.scalar()?) } else { None };
        Ok(Parameter { name, parameter_type, default })
    }

    /// A type (grammar rules `inputParameterType`, `outputParameterType`).
    pub(super) fn kind(&mut self) -> ParseResult<ParameterType> {
        match self.token() {
            Token::Word("dataset") => {
                self.at += 1;
                let constraints = if self.eat("{") {
                    let constraints = self.list(Self::constraint)?;
                    self.require("}")?;
                    constraints
                } else {
                    Vec::new()
                };
                Ok(ParameterType::Data(constraints))
            }
            Token::Word("set") => {
                self.at += 1;
                self.whole_type()?;
                Ok(ParameterType::Set)
            }
            Token::Word("measure" | "component" | "identifier" | "attribute" | "viral") => {
                let role = self.role()?;
                Ok(ParameterType::Component(role.flatten(), self.element_type()?))
            }
            Token::Word(
                "ruleset"
                | "datapoint"
                | "datapoint_on_valuedomains"
                | "datapoint_on_variables"
                | "hierarchical"
                | "hierarchical_on_valuedomains"
                | "hierarchical_on_variables",
            ) => self.ruleset_type(),
            _ => self.scalar_type().map(ParameterType::Scalar),
        }
    }

    /// `< type >`, when it follows, with all its values.
    fn whole_type(&mut self) -> ParseResult<Option<ValueType>> {
        let span = self.span();
        let value_type = self.element_type()?;
        if value_type.subset.is_some() || value_type.never_null {
            let message = "types are restricted to some of their values in scalar and component parameters";
            self.faults.push(Diagnostic::new(DiagnosticCode::Unsupported, span.to(self.past()), message));
        }
        Ok(value_type.value_type)
    }

    /// `< type >`, when it follows.
    fn element_type(&mut self) -> ParseResult<ScalarConstraint> {
        if !self.eat("<") {
            return Ok(ScalarConstraint::default());
        }
        let value_type = self.scalar_type()?;
        self.require(">")?;
        Ok(value_type)
    }

    /// A scalar type or the name of a value domain; `scalar` and a domain stand for any.
    fn scalar_type(&mut self) -> ParseResult<ScalarConstraint> {
        let value_type = match self.token() {
            Token::Word("scalar") | Token::Name(_) => None,
            Token::Word(word) => match ValueType::from_name(word) {
                Some(value_type) => Some(value_type),
                None => return self.expected("a type"),
            },
            _ => return self.expected("a type"),
        };
        self.at += 1;
        let subset = if self.eat("[") {
            let condition = self.expr()?;
            self.require("]")?;
            Some(ValueSubset::Where(Box::new(condition)))
        } else if self.eat("{") {
            let values = self.list(Self::scalar)?;
            self.require("}")?;
            Some(ValueSubset::Listed(values))
        } else {
            None
        };
        let never_null = self.word("not");
        if never_null {
            self.require_word("null")?;
        } else {
            self.word("null");
        }
        Ok(ScalarConstraint { value_type, subset, never_null })
    }

    fn ruleset_type(&mut self) -> ParseResult<ParameterType> {
        self.at += 1;
        if self.eat("{") {
            self.name("a name")?;
            let nested = self.eat("(");
            while self.eat("*") || matches!(self.token(), Token::Name(_)) {
                if matches!(self.token(), Token::Name(_)) {
                    self.at += 1;
                }
            }
            if nested {
                self.require(")")?;
            }
            self.require("}")?;
        }
        Ok(ParameterType::Ruleset)
    }

    /// `measure<number> NAME`, `measure<number> _+`.
    fn constraint(&mut self) -> ParseResult<ComponentConstraint> {
        let role = match self.role()? {
            Some(role) => role,
            None => return self.expected("a role: `identifier`, `measure`, `attribute` or `component`"),
        };
        let value_type = self.whole_type()?;
        if self.eat("_") {
            let count = match self.token() {
                Token::Symbol("+") => (1, usize::MAX),
                Token::Symbol("*") => (0, usize::MAX),
                _ => (1, 1),
            };
            self.at += usize::from(count.1 > 1);
            return Ok(ComponentConstraint { role, value_type, name: None, count });
        }
        let name = self.component()?.name.text;
        Ok(ComponentConstraint { role, value_type, name: Some(name), count: (1, 1) })
    }

    /// A role; `Some(None)` is `component`, which stands for any.
    pub(super) fn role(&mut self) -> ParseResult<Option<Option<Role>>> {
        let role = match self.token() {
            Token::Word("identifier") => Some(Role::Identifier),
            Token::Word("measure") => Some(Role::Measure),
            Token::Word("attribute") => Some(Role::Attribute),
            Token::Word("component") => None,
            Token::Word("viral") => {
                self.at += 1;
                if self.token() != Token::Word("attribute") {
                    return self.expected("`attribute`");
                }
                Some(Role::ViralAttribute)
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(role))
    }

    /// `(variable A as X, B …)`: whether it is of value domains, and the names.
    fn signature(&mut self) -> ParseResult<Vec<SignatureItem>> {
        self.list(|parser| {
            let name = parser.name("the name of a variable or value domain")?;
            let alias = if parser.word("as") { Some(parser.name("an alias name")?) } else { None };
            Ok(SignatureItem { name, alias })
        })
    }

    /// `variable` or `valuedomain`.
    fn domains(&mut self) -> ParseResult<bool> {
        let domains = match self.token() {
            Token::Word("valuedomain") => true,
            Token::Word("variable") => false,
            _ => return self.expected("`variable` or `valuedomain`"),
        };
        self.at += 1;
        Ok(domains)
    }

    fn datapoint(&mut self) -> ParseResult<()> {
        self.at += 1;
        self.require_word("ruleset")?;
        let name = self.name("the name of the ruleset")?;
        self.require("(")?;
        let domains = self.domains()?;
        let signature = if self.token() == Token::Symbol(")") { Vec::new() } else { self.signature()? };
        self.require(")")?;
        self.require_word("is")?;
        let rules = self.rules(Self::datapoint_rule)?;
        self.end(&["datapoint", "ruleset"])?;
        let ruleset = DatapointRuleset { name: name.clone(), domains, signature, rules };
        self.defined(&name, ruleset, |d| &mut d.datapoint);
        Ok(())
    }

    /// One or more, with semicolons between.
    fn rules<T>(&mut self, rule: impl Fn(&mut Self) -> ParseResult<T>) -> ParseResult<Vec<T>> {
        let mut rules = vec![rule(self)?];
        while self.eat(";") {
            rules.push(rule(self)?);
        }
        Ok(rules)
    }

    /// `NAME :`, when it follows.
    fn rule_name(&mut self) -> ParseResult<Option<Ident>> {
        if self.after() != Token::Symbol(":") {
            return Ok(None);
        }
        let name = self.name("the name of a rule")?;
        self.at += 1;
        Ok(Some(name))
    }

    fn datapoint_rule(&mut self) -> ParseResult<DatapointRule> {
        let name = self.rule_name()?;
        let when = self.antecedent()?;
        let then = self.expr()?;
        Ok(DatapointRule { name, when, then, error: self.error()? })
    }

    /// `when … then`, when it follows.
    fn antecedent(&mut self) -> ParseResult<Option<crate::ast::Expr>> {
        if !self.word("when") {
            return Ok(None);
        }
        let when = self.expr()?;
        self.require_word("then")?;
        Ok(Some(when))
    }

    /// `errorcode …` and `errorlevel …`, when they follow.
    pub(super) fn error(&mut self) -> ParseResult<ErrorLabels> {
        let code = if self.word("errorcode") { self.constant()? } else { None };
        let level = if self.word("errorlevel") { self.constant()? } else { None };
        Ok(ErrorLabels { code, level })
    }

    /// A literal; `None` is `null`.
    pub(super) fn constant(&mut self) -> ParseResult<Option<Cell>> {
        if self.token() == Token::Word("cast") {
            return self.expected("a literal value");
        }
        match self.scalar()?.node {
            ExprNode::Constant(cell) => Ok(cell),
            _ => self.expected("a literal value"),
        }
    }

    fn hierarchical(&mut self) -> ParseResult<()> {
        self.at += 1;
        self.require_word("ruleset")?;
        let name = self.name("the name of the ruleset")?;
        self.require("(")?;
        let domains = self.domains()?;
        let conditions = if self.word("condition") { self.signature()? } else { Vec::new() };
        self.require_word("rule")?;
        let rule = self.name("the variable or value domain of the rules")?;
        self.require(")")?;
        self.require_word("is")?;
        let rules = self.rules(Self::hierarchical_rule)?;
        self.end(&["hierarchical", "ruleset"])?;
        let ruleset = HierarchicalRuleset { name: name.clone(), domains, conditions, rule, rules };
        self.defined(&name, ruleset, |d| &mut d.hierarchical);
        Ok(())
    }

    fn hierarchical_rule(&mut self) -> ParseResult<HierarchicalRule> {
        let start = self.span();
        let name = self.rule_name()?;
        let when = self.antecedent()?;
        let left = self.item()?;
        let relation = match self.token() {
            Token::Symbol("=") => Some(Op::Equal),
            Token::Symbol("<") => Some(Op::Less),
            Token::Symbol("<=") => Some(Op::LessEqual),
            Token::Symbol(">") => Some(Op::Greater),
            Token::Symbol(">=") => Some(Op::GreaterEqual),
            Token::Symbol("<>") => Some(Op::NotEqual),
            _ => None,
        };
        self.at += usize::from(relation.is_some());
        let relation = relation.unwrap_or(Op::Equal);
        let mut right = vec![self.part()?];
        while matches!(
            self.token(),
            Token::Symbol("+" | "-") | Token::Name(_) | Token::Integer(_) | Token::Number(_)
        ) {
            right.push(self.part()?);
        }
        let error = self.error()?;
        let span = start.to(self.past());
        Ok(HierarchicalRule { name, when, left, relation, right, error, span })
    }

    /// A code item: a name or a number.
    fn item(&mut self) -> ParseResult<CodeItem> {
        let start = self.span();
        let sign = if self.eat("-") { "-" } else { "" };
        if sign.is_empty() {
            self.eat("+");
        }
        let code = match self.token() {
            Token::Name(text) if sign.is_empty() => text.to_owned(),
            Token::Integer(text) | Token::Number(text) => format!("{sign}{text}"),
            _ => return self.expected("a code item"),
        };
        self.at += 1;
        Ok(CodeItem { code, span: start.to(self.past()) })
    }

    /// `+ item [ condition ]`.
    fn part(&mut self) -> ParseResult<SignedCodeItem> {
        let minus = self.token() == Token::Symbol("-");
        self.at += usize::from(minus || self.token() == Token::Symbol("+"));
        let item = self.item()?;
        let condition = if self.eat("[") {
            let condition = self.expr()?;
            self.require("]")?;
            Some(condition)
        } else {
            None
        };
        Ok(SignedCodeItem { minus, item, condition })
    }

    fn propagation(&mut self) -> ParseResult<()> {
        self.at += 1;
        // `propagation` is a word of its own in the grammar.
        self.require_word("propagation")?;
        let name = self.name("the name of the propagation")?;
        self.require("(")?;
        let domain = self.domains()?;
        let target = self.name("the name of an attribute or value domain")?;
        self.require(")")?;
        self.require_word("is")?;
        let rule = if self.word("aggregate") { self.aggregate_rule()? } else { self.enumerated()? };
        self.end(&["viral", "propagation"])?;
        let propagation = ViralPropagation { name, domain, target: target.clone(), rule };
        self.defined(&target, propagation, |d| &mut d.propagation);
        Ok(())
    }

    fn aggregate_rule(&mut self) -> ParseResult<PropagationRule> {
        let op = match self.token() {
            Token::Word("min") => AggregateOp::Min,
            Token::Word("max") => AggregateOp::Max,
            Token::Word("sum") => AggregateOp::Sum,
            Token::Word("avg") => AggregateOp::Avg,
            _ => return self.expected("`min`, `max`, `sum` or `avg`"),
        };
        self.at += 1;
        Ok(PropagationRule::Aggregate(op))
    }

    fn enumerated(&mut self) -> ParseResult<PropagationRule> {
        let (mut clauses, mut other) = (Vec::new(), None);
        loop {
            if !clauses.is_empty() && self.word("else") {
                other = self.constant()?;
                break;
            }
            self.rule_name()?;
            self.require_word("when")?;
            let Some(first) = self.constant()? else { return self.expected("a value that is not null") };
            let second = if self.word("and") { self.constant()? } else { None };
            self.require_word("then")?;
            clauses.push((first, second, self.constant()?));
            if !self.eat(";") {
                break;
            }
        }
        Ok(PropagationRule::Enumerated { clauses, other })
    }
}
