//! Definitions (grammar rule `defOperators`): user-defined operators, rulesets and propagation rules of
//! viral attributes.

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
    /// Parses `define … end …;`.
    pub(super) fn parse_definition(&mut self) -> ParseResult<()> {
        self.position += 1;
        match self.current_token() {
            Token::Word("operator") => self.parse_operator_definition(),
            Token::Word("datapoint") => self.parse_datapoint_ruleset(),
            Token::Word("hierarchical") => self.parse_hierarchical_ruleset(),
            Token::Word("viral") => self.parse_viral_propagation(),
            _ => self.report_expected(
                "`operator`, `datapoint ruleset`, `hierarchical ruleset` or `viral propagation`",
            ),
        }
    }

    /// Parses `end` followed by the words that opened the definition.
    fn parse_end(&mut self, words: &[&'static str]) -> ParseResult<()> {
        self.expect_word("end")?;
        for word in words {
            self.expect_word(word)?;
        }
        self.expect_symbol(";")
    }

    /// Adds a definition, or reports its name as a duplicate.
    fn add_definition<T>(
        &mut self,
        name: &Ident,
        definition: T,
        place: fn(&mut Definitions) -> &mut std::collections::BTreeMap<String, T>,
    ) {
        let definitions = &mut self.definitions;
        // All definitions share one namespace; a propagation rule is keyed by its attribute.
        let taken = definitions.operators.contains_key(&name.text)
            || definitions.datapoint.contains_key(&name.text)
            || definitions.hierarchical.contains_key(&name.text)
            || place(definitions).contains_key(&name.text);
        if taken {
            let message = format!("`{}` is defined twice", name.text);
            self.diagnostics.push(Diagnostic::new(DiagnosticCode::Duplicate, name.span, message));
        } else {
            place(definitions).insert(name.text.clone(), definition);
        }
    }

    fn parse_operator_definition(&mut self) -> ParseResult<()> {
        self.position += 1;
        let name = self.parse_name("the name of the operator")?;
        self.expect_symbol("(")?;
        let parameters = if self.current_token() == Token::Symbol(")") {
            Vec::new()
        } else {
            self.parse_list(Self::parse_parameter)?
        };
        self.expect_symbol(")")?;
        let returns = if self.eat_word("returns") {
            let start = self.current_span();
            Some((self.parse_parameter_type()?, start.to(self.previous_span())))
        } else {
            None
        };
        self.expect_word("is")?;
        let body = self.parse_expr()?;
        self.parse_end(&["operator"])?;
        self.add_definition(&name.clone(), OperatorDefinition { name, parameters, returns, body }, |d| {
            &mut d.operators
        });
        Ok(())
    }

    fn parse_parameter(&mut self) -> ParseResult<Parameter> {
        let name = self.parse_name("the name of a parameter")?;
        let parameter_type = self.parse_parameter_type()?;
        let default = if self.eat_word("default") { Some(self.parse_literal()?) } else { None };
        Ok(Parameter { name, parameter_type, default })
    }

    /// Parses a declared type (grammar rules `inputParameterType`, `outputParameterType`).
    pub(super) fn parse_parameter_type(&mut self) -> ParseResult<ParameterType> {
        match self.current_token() {
            Token::Word("dataset") => {
                self.position += 1;
                let constraints = if self.eat_symbol("{") {
                    let constraints = self.parse_list(Self::parse_constraint)?;
                    self.expect_symbol("}")?;
                    constraints
                } else {
                    Vec::new()
                };
                Ok(ParameterType::Data(constraints))
            }
            Token::Word("set") => {
                self.position += 1;
                self.parse_unrestricted_type()?;
                Ok(ParameterType::Set)
            }
            Token::Word("measure" | "component" | "identifier" | "attribute" | "viral") => {
                let role = self.parse_role()?;
                Ok(ParameterType::Component(role.flatten(), self.parse_element_type()?))
            }
            Token::Word(
                "ruleset"
                | "datapoint"
                | "datapoint_on_valuedomains"
                | "datapoint_on_variables"
                | "hierarchical"
                | "hierarchical_on_valuedomains"
                | "hierarchical_on_variables",
            ) => self.parse_ruleset_type(),
            _ => self.parse_scalar_type().map(ParameterType::Scalar),
        }
    }

    /// Parses an optional `< type >` that allows all values of the type.
    fn parse_unrestricted_type(&mut self) -> ParseResult<Option<ValueType>> {
        let span = self.current_span();
        let value_type = self.parse_element_type()?;
        if value_type.subset.is_some() || value_type.never_null {
            let message = "only scalar and component parameters may restrict a type to some of its values";
            self.diagnostics.push(Diagnostic::new(
                DiagnosticCode::Unsupported,
                span.to(self.previous_span()),
                message,
            ));
        }
        Ok(value_type.value_type)
    }

    /// Parses an optional `< type >`.
    fn parse_element_type(&mut self) -> ParseResult<ScalarConstraint> {
        if !self.eat_symbol("<") {
            return Ok(ScalarConstraint::default());
        }
        let value_type = self.parse_scalar_type()?;
        self.expect_symbol(">")?;
        Ok(value_type)
    }

    /// Parses a scalar type or the name of a value domain; `scalar` and a value domain accept any type.
    fn parse_scalar_type(&mut self) -> ParseResult<ScalarConstraint> {
        let value_type = match self.current_token() {
            Token::Word("scalar") | Token::Name(_) => None,
            Token::Word(word) => match ValueType::from_name(word) {
                Some(value_type) => Some(value_type),
                None => return self.report_expected("a type"),
            },
            _ => return self.report_expected("a type"),
        };
        self.position += 1;
        let subset = if self.eat_symbol("[") {
            let condition = self.parse_expr()?;
            self.expect_symbol("]")?;
            Some(ValueSubset::Where(Box::new(condition)))
        } else if self.eat_symbol("{") {
            let values = self.parse_list(Self::parse_literal)?;
            self.expect_symbol("}")?;
            Some(ValueSubset::Listed(values))
        } else {
            None
        };
        let never_null = self.eat_word("not");
        if never_null {
            self.expect_word("null")?;
        } else {
            // `null` alone says what holds without it: null is allowed unless excluded.
            self.eat_word("null");
        }
        Ok(ScalarConstraint { value_type, subset, never_null })
    }

    fn parse_ruleset_type(&mut self) -> ParseResult<ParameterType> {
        self.position += 1;
        if self.eat_symbol("{") {
            self.parse_name("a name")?;
            let nested = self.eat_symbol("(");
            while self.eat_symbol("*") || matches!(self.current_token(), Token::Name(_)) {
                if matches!(self.current_token(), Token::Name(_)) {
                    self.position += 1;
                }
            }
            if nested {
                self.expect_symbol(")")?;
            }
            self.expect_symbol("}")?;
        }
        Ok(ParameterType::Ruleset)
    }

    /// Parses a component constraint such as `measure<number> NAME` or `measure<number> _+`.
    fn parse_constraint(&mut self) -> ParseResult<ComponentConstraint> {
        let role = match self.parse_role()? {
            Some(role) => role,
            None => {
                return self.report_expected("a role: `identifier`, `measure`, `attribute` or `component`");
            }
        };
        let value_type = self.parse_unrestricted_type()?;
        if self.eat_symbol("_") {
            // `_` is one component, `_+` at least one and `_*` any number (specs/vtl.md, 12).
            let count = match self.current_token() {
                Token::Symbol("+") => (1, usize::MAX),
                Token::Symbol("*") => (0, usize::MAX),
                _ => (1, 1),
            };
            self.position += usize::from(count.1 > 1);
            return Ok(ComponentConstraint { role, value_type, name: None, count });
        }
        let name = self.parse_component()?.name.text;
        Ok(ComponentConstraint { role, value_type, name: Some(name), count: (1, 1) })
    }

    /// Parses an optional role; `Some(None)` is `component`, which accepts any role.
    pub(super) fn parse_role(&mut self) -> ParseResult<Option<Option<Role>>> {
        let role = match self.current_token() {
            Token::Word("identifier") => Some(Role::Identifier),
            Token::Word("measure") => Some(Role::Measure),
            Token::Word("attribute") => Some(Role::Attribute),
            Token::Word("component") => None,
            Token::Word("viral") => {
                self.position += 1;
                if self.current_token() != Token::Word("attribute") {
                    return self.report_expected("`attribute`");
                }
                Some(Role::ViralAttribute)
            }
            _ => return Ok(None),
        };
        self.position += 1;
        Ok(Some(role))
    }

    /// Parses the names of a signature: `A as X, B …`.
    fn parse_signature(&mut self) -> ParseResult<Vec<SignatureItem>> {
        self.parse_list(|parser| {
            let name = parser.parse_name("the name of a variable or value domain")?;
            let alias = if parser.eat_word("as") { Some(parser.parse_name("an alias name")?) } else { None };
            Ok(SignatureItem { name, alias })
        })
    }

    /// Parses `variable` or `valuedomain`; returns true for the latter.
    fn parse_variable_or_valuedomain(&mut self) -> ParseResult<bool> {
        let domains = match self.current_token() {
            Token::Word("valuedomain") => true,
            Token::Word("variable") => false,
            _ => return self.report_expected("`variable` or `valuedomain`"),
        };
        self.position += 1;
        Ok(domains)
    }

    fn parse_datapoint_ruleset(&mut self) -> ParseResult<()> {
        self.position += 1;
        self.expect_word("ruleset")?;
        let name = self.parse_name("the name of the ruleset")?;
        self.expect_symbol("(")?;
        let domains = self.parse_variable_or_valuedomain()?;
        let signature =
            if self.current_token() == Token::Symbol(")") { Vec::new() } else { self.parse_signature()? };
        self.expect_symbol(")")?;
        self.expect_word("is")?;
        let rules = self.parse_rules(Self::parse_datapoint_rule)?;
        self.parse_end(&["datapoint", "ruleset"])?;
        let ruleset = DatapointRuleset { name: name.clone(), domains, signature, rules };
        self.add_definition(&name, ruleset, |d| &mut d.datapoint);
        Ok(())
    }

    /// Parses one or more rules separated by semicolons.
    fn parse_rules<T>(&mut self, rule: impl Fn(&mut Self) -> ParseResult<T>) -> ParseResult<Vec<T>> {
        let mut rules = vec![rule(self)?];
        while self.eat_symbol(";") {
            rules.push(rule(self)?);
        }
        Ok(rules)
    }

    /// Parses an optional `NAME :`.
    fn parse_rule_name(&mut self) -> ParseResult<Option<Ident>> {
        if self.next_token() != Token::Symbol(":") {
            return Ok(None);
        }
        let name = self.parse_name("the name of a rule")?;
        self.position += 1;
        Ok(Some(name))
    }

    fn parse_datapoint_rule(&mut self) -> ParseResult<DatapointRule> {
        let name = self.parse_rule_name()?;
        let when = self.parse_antecedent()?;
        let then = self.parse_expr()?;
        Ok(DatapointRule { name, when, then, error: self.parse_error_labels()? })
    }

    /// Parses an optional `when … then`.
    fn parse_antecedent(&mut self) -> ParseResult<Option<crate::ast::Expr>> {
        if !self.eat_word("when") {
            return Ok(None);
        }
        let when = self.parse_expr()?;
        self.expect_word("then")?;
        Ok(Some(when))
    }

    /// Parses the optional `errorcode …` and `errorlevel …`.
    pub(super) fn parse_error_labels(&mut self) -> ParseResult<ErrorLabels> {
        let code = if self.eat_word("errorcode") { self.parse_constant()? } else { None };
        let level = if self.eat_word("errorlevel") { self.parse_constant()? } else { None };
        Ok(ErrorLabels { code, level })
    }

    /// Parses a literal; `None` is `null`.
    pub(super) fn parse_constant(&mut self) -> ParseResult<Option<Cell>> {
        if self.current_token() == Token::Word("cast") {
            return self.report_expected("a literal value");
        }
        match self.parse_literal()?.node {
            ExprNode::Constant(cell) => Ok(cell),
            _ => self.report_expected("a literal value"),
        }
    }

    fn parse_hierarchical_ruleset(&mut self) -> ParseResult<()> {
        self.position += 1;
        self.expect_word("ruleset")?;
        let name = self.parse_name("the name of the ruleset")?;
        self.expect_symbol("(")?;
        let domains = self.parse_variable_or_valuedomain()?;
        let conditions = if self.eat_word("condition") { self.parse_signature()? } else { Vec::new() };
        self.expect_word("rule")?;
        let rule = self.parse_name("the variable or value domain of the rules")?;
        self.expect_symbol(")")?;
        self.expect_word("is")?;
        let rules = self.parse_rules(Self::parse_hierarchical_rule)?;
        self.parse_end(&["hierarchical", "ruleset"])?;
        let ruleset = HierarchicalRuleset { name: name.clone(), domains, conditions, rule, rules };
        self.add_definition(&name, ruleset, |d| &mut d.hierarchical);
        Ok(())
    }

    fn parse_hierarchical_rule(&mut self) -> ParseResult<HierarchicalRule> {
        let start = self.current_span();
        let name = self.parse_rule_name()?;
        let when = self.parse_antecedent()?;
        let left = self.parse_code_item()?;
        let relation = match self.current_token() {
            Token::Symbol("=") => Some(Op::Equal),
            Token::Symbol("<") => Some(Op::Less),
            Token::Symbol("<=") => Some(Op::LessEqual),
            Token::Symbol(">") => Some(Op::Greater),
            Token::Symbol(">=") => Some(Op::GreaterEqual),
            Token::Symbol("<>") => Some(Op::NotEqual),
            _ => None,
        };
        self.position += usize::from(relation.is_some());
        let relation = relation.unwrap_or(Op::Equal);
        let mut right = vec![self.parse_signed_item()?];
        while matches!(
            self.current_token(),
            Token::Symbol("+" | "-") | Token::Name(_) | Token::Integer(_) | Token::Number(_)
        ) {
            right.push(self.parse_signed_item()?);
        }
        let error = self.parse_error_labels()?;
        let span = start.to(self.previous_span());
        Ok(HierarchicalRule { name, when, left, relation, right, error, span })
    }

    /// Parses a code item: a name or a number.
    fn parse_code_item(&mut self) -> ParseResult<CodeItem> {
        let start = self.current_span();
        let sign = if self.eat_symbol("-") { "-" } else { "" };
        if sign.is_empty() {
            self.eat_symbol("+");
        }
        let code = match self.current_token() {
            Token::Name(text) if sign.is_empty() => text.to_owned(),
            Token::Integer(text) | Token::Number(text) => format!("{sign}{text}"),
            _ => return self.report_expected("a code item"),
        };
        self.position += 1;
        Ok(CodeItem { code, span: start.to(self.previous_span()) })
    }

    /// Parses `+ item [ condition ]`.
    fn parse_signed_item(&mut self) -> ParseResult<SignedCodeItem> {
        let minus = self.current_token() == Token::Symbol("-");
        self.position += usize::from(minus || self.current_token() == Token::Symbol("+"));
        let item = self.parse_code_item()?;
        let condition = if self.eat_symbol("[") {
            let condition = self.parse_expr()?;
            self.expect_symbol("]")?;
            Some(condition)
        } else {
            None
        };
        Ok(SignedCodeItem { minus, item, condition })
    }

    fn parse_viral_propagation(&mut self) -> ParseResult<()> {
        self.position += 1;
        // The grammar has `viral` and `propagation` as two tokens.
        self.expect_word("propagation")?;
        let name = self.parse_name("the name of the propagation")?;
        self.expect_symbol("(")?;
        let domain = self.parse_variable_or_valuedomain()?;
        let target = self.parse_name("the name of an attribute or value domain")?;
        self.expect_symbol(")")?;
        self.expect_word("is")?;
        let rule = if self.eat_word("aggregate") {
            self.parse_aggregate_rule()?
        } else {
            self.parse_enumerated_rule()?
        };
        self.parse_end(&["viral", "propagation"])?;
        let propagation = ViralPropagation { name, domain, target: target.clone(), rule };
        self.add_definition(&target, propagation, |d| &mut d.propagation);
        Ok(())
    }

    fn parse_aggregate_rule(&mut self) -> ParseResult<PropagationRule> {
        let op = match self.current_token() {
            Token::Word("min") => AggregateOp::Min,
            Token::Word("max") => AggregateOp::Max,
            Token::Word("sum") => AggregateOp::Sum,
            Token::Word("avg") => AggregateOp::Avg,
            _ => return self.report_expected("`min`, `max`, `sum` or `avg`"),
        };
        self.position += 1;
        Ok(PropagationRule::Aggregate(op))
    }

    fn parse_enumerated_rule(&mut self) -> ParseResult<PropagationRule> {
        let (mut clauses, mut other) = (Vec::new(), None);
        loop {
            if !clauses.is_empty() && self.eat_word("else") {
                other = self.parse_constant()?;
                break;
            }
            self.parse_rule_name()?;
            self.expect_word("when")?;
            let Some(first) = self.parse_constant()? else {
                return self.report_expected("a value that is not null");
            };
            let second = if self.eat_word("and") { self.parse_constant()? } else { None };
            self.expect_word("then")?;
            clauses.push((first, second, self.parse_constant()?));
            if !self.eat_symbol(";") {
                break;
            }
        }
        Ok(PropagationRule::Enumerated { clauses, other })
    }
}
