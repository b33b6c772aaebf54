//! Random scripts. Each statement fits the structures of those before it, so most scripts are valid.

use std::collections::BTreeMap;

use super::random::{INPUTS, Random};
use schemas::structure::{ComponentList, Role, ValueType};
use vtl::{ExecutionPlan, Script};

/// Definitions that statements may use.
pub const DEFINITIONS: &str = r#"
define operator twice(x number) returns number is x + x end operator;
define operator grow(d dataset, n integer default 1) returns dataset is d / timeshift(d, n) end operator;
define operator shout(s string) returns string is upper(s) || "!" end operator;
define datapoint ruleset DP(variable X) is r1: when X > 0 then X < 100 errorcode "low" errorlevel 1; r2: X <> 1 errorcode "one" end datapoint ruleset;
define hierarchical ruleset HR(variable rule A) is h1: a = b + aa errorcode "sum"; h2: b >= A; h3: x = a - A end hierarchical ruleset;
define viral propagation VP (variable V) is when "a" then "b"; when "a" and "b" then "c"; else "z" end viral propagation;
"#;

#[derive(Debug, Clone)]
struct Part {
    name: String,
    role: Role,
    kind: ValueType,
}

pub struct Generator {
    pub random: Random,
    shapes: BTreeMap<String, ComponentList>,
    /// Readable data sets with their components.
    sets: Vec<(String, Vec<Part>)>,
    text: String,
    count: usize,
}

fn parts(shape: &ComponentList) -> Vec<Part> {
    let part = |c: &schemas::structure::Component| Part {
        name: c.id.as_str().to_owned(),
        role: c.role,
        kind: c.value_type,
    };
    shape.components().iter().map(part).collect()
}

impl Generator {
    pub fn new(seed: u64, shapes: BTreeMap<String, ComponentList>) -> Self {
        let sets = INPUTS.iter().map(|(name, _)| ((*name).to_owned(), parts(&shapes[*name]))).collect();
        Self { random: Random::new(seed), shapes, sets, text: String::new(), count: 0 }
    }

    /// Returns a script of valid statements with its plan.
    pub fn script(&mut self, statements: usize) -> (String, ExecutionPlan) {
        if self.random.one_in(2) {
            self.text.push_str(DEFINITIONS);
        }
        let mut tries = 0;
        let mut plan = None;
        while self.count < statements && tries < 40 * statements {
            tries += 1;
            let name = format!("r{}", self.count);
            let statement = self.statement();
            let more = format!("{}{name} <- {statement};\n", self.text);
            let checked = Script::parse(&more).and_then(|script| vtl::check(&script, &self.shapes));
            match checked {
                Err(faults) => {
                    assert!(faults.iter().all(|fault| !vtl::render_diagnostic(&more, fault).is_empty()))
                }
                Ok(made) => {
                    if let Some(shape) = made.shape(&name) {
                        self.sets.push((name, parts(shape)));
                    }
                    self.text = more;
                    self.count += 1;
                    plan = Some(made);
                }
            }
        }
        (self.text.clone(), plan.unwrap())
    }

    fn statement(&mut self) -> String {
        if self.random.one_in(12) {
            let kind = self.kind();
            return self.expr(kind, 4, &[]);
        }
        self.set(2)
    }

    fn kind(&mut self) -> ValueType {
        use ValueType::{Boolean, Date, Duration, Integer, Number, String, Time, TimePeriod};
        [Number, Number, Integer, String, Boolean, Date, TimePeriod, Time, Duration][self.random.below(9)]
    }

    /// Returns a data set by name with its components.
    fn named(&mut self) -> (String, Vec<Part>) {
        let late = self.sets.len().saturating_sub(3);
        let at = if self.random.one_in(2) {
            late + self.random.below(3)
        } else {
            self.random.below(self.sets.len())
        };
        self.sets[at.min(self.sets.len() - 1)].clone()
    }

    fn part(&mut self, parts: &[Part], fits: impl Fn(&Part) -> bool) -> Option<String> {
        let fitting: Vec<&Part> = parts.iter().filter(|part| fits(part)).collect();
        (!fitting.is_empty()).then(|| fitting[self.random.below(fitting.len())].name.clone())
    }

    fn measure(&mut self, parts: &[Part], kind: Option<ValueType>) -> String {
        let fits = |part: &Part| part.role == Role::Measure && kind.is_none_or(|kind| kind == part.kind);
        self.part(parts, fits).or_else(|| self.part(parts, |_| true)).unwrap_or_default()
    }

    fn identifier(&mut self, parts: &[Part]) -> String {
        self.part(parts, |part| part.role == Role::Identifier).unwrap_or_default()
    }

    /// Returns a data set expression.
    fn set(&mut self, depth: usize) -> String {
        let (name, parts) = self.named();
        let name =
            if depth > 0 && self.random.one_in(5) { format!("({})", self.set(depth - 1)) } else { name };
        match self.random.below(16) {
            0 | 1 => self.arithmetic(&name, &parts),
            2..=6 => self.clause(&name, &parts),
            7 | 8 => self.windowed(&name, &parts),
            9 => self.grouped(&name, &parts),
            10 => self.joined(&name, &parts),
            11 => self.sets_of(&name),
            12 => self.timed(&name, &parts),
            13 => self.validated(&name, &parts),
            14 => self.texted(&name, &parts),
            _ => self.called(&name, &parts),
        }
    }

    fn arithmetic(&mut self, name: &str, parts: &[Part]) -> String {
        let measure = self.measure(parts, None);
        let kind = parts.iter().find(|part| part.name == measure).map_or(ValueType::Number, |part| part.kind);
        let one = format!("{name}#{measure}");
        let kept = format!("{name}[keep {measure}]");
        let (other, _) = self.named();
        let value = self.expr(kind, 1, &[]);
        let op = self.random.of(&["+", "-", "*", "/"]);
        let compare = self.random.of(&["=", "<>", "<", "<=", ">", ">="]);
        match self.random.below(14) {
            0 => format!("{name} {op} {other}"),
            1 => format!("{kept} {op} {value}"),
            2 => format!("{one} {compare} {value}"),
            3 => format!(
                "{}({kept})",
                self.random.of(&["abs", "ceil", "floor", "-", "+", "sqrt", "ln", "exp", "round", "trunc"])
            ),
            4 => format!(
                "{}({kept}, {value})",
                self.random.of(&["mod", "power", "log", "nvl", "round", "trunc"])
            ),
            5 => format!("isnull({one})"),
            6 => format!("between({one}, {value}, {})", self.expr(kind, 1, &[])),
            7 => format!(
                "{one} {} {{ {value}, {} }}",
                self.random.of(&["in", "not_in"]),
                self.expr(kind, 0, &[])
            ),
            8 => format!("if {one} {compare} {value} then {name} else {name}"),
            9 => format!("if {one} {compare} {value} then {value} else {kept}"),
            10 => format!(
                "case when {one} = {value} then {kept} when {one} > {value} then {kept} {op} {value} else {kept}"
            ),
            11 => format!("cast({one}, {})", self.kind().as_str()),
            12 => format!(
                "not({one} {compare} {value}) {} ({one} = {value})",
                self.random.of(&["and", "or", "xor"])
            ),
            _ => format!("{kept} {op} {kept} {op} {value}"),
        }
    }

    fn clause(&mut self, name: &str, parts: &[Part]) -> String {
        let measure = self.measure(parts, None);
        let key = self.identifier(parts);
        match self.random.below(13) {
            0 => format!("{name}[filter {}]", self.expr(ValueType::Boolean, 3, parts)),
            1..=4 => {
                let kind = self.kind();
                let target =
                    if self.random.one_in(3) { measure } else { format!("c{}", self.random.below(4)) };
                let role = self.random.of(&[
                    "",
                    "",
                    "",
                    "measure ",
                    "identifier ",
                    "attribute ",
                    "viral attribute ",
                ]);
                format!("{name}[calc {role}{target} := {}]", self.expr(kind, 4, parts))
            }
            5 => format!("{name}[keep {measure}]"),
            6 => format!("{name}[drop {measure}]"),
            7 => format!("{name}[rename {measure} to m{}]", self.random.below(3)),
            8 => format!("{name}[rename {key} to k{}]", self.random.below(3)),
            9 => {
                let kind =
                    parts.iter().find(|part| part.name == key).map_or(ValueType::String, |part| part.kind);
                format!("{name}[sub {key} = {}]", self.expr(kind, 0, &[]))
            }
            10 => {
                let sum = self.aggregate(parts);
                let group = self.grouping(parts);
                format!("{name}[aggr g := {sum}, n := count() {group}]")
            }
            11 => format!("{name}[unpivot u{}, v]", self.random.below(2)),
            _ => {
                let values =
                    self.random.of(&["{ \"a\", \"b\" }", "{ \"a\", \"A\", \"aa\", \"x\" }", "{ 1, 2 }"]);
                format!("{name}[keep {measure}][filter {key} in {values}][pivot {key}, {measure}]")
            }
        }
    }

    fn aggregate(&mut self, parts: &[Part]) -> String {
        let op = self.random.of(&[
            "sum",
            "avg",
            "count",
            "min",
            "max",
            "median",
            "stddev_pop",
            "stddev_samp",
            "var_pop",
            "var_samp",
        ]);
        let kind = if self.random.one_in(3) { ValueType::Integer } else { ValueType::Number };
        format!("{op}({})", self.expr(kind, 2, parts))
    }

    fn grouping(&mut self, parts: &[Part]) -> String {
        let key = self.identifier(parts);
        let other = self.identifier(parts);
        let having = if self.random.one_in(3) {
            format!(" having {} > {}", self.aggregate(parts), self.expr(ValueType::Number, 0, &[]))
        } else {
            String::new()
        };
        let group = match self.random.below(6) {
            0 => String::new(),
            1 => format!("group except {key}"),
            2 => "group all time_agg(\"A\")".to_owned(),
            3 => format!("group by {key}, {other}"),
            4 => format!("group by {key}, {other} time_agg(\"{}\")", self.random.of(&["A", "Q", "M", "W"])),
            _ => format!("group by {key}"),
        };
        group + &having
    }

    fn grouped(&mut self, name: &str, parts: &[Part]) -> String {
        let op = self.random.of(&[
            "sum",
            "avg",
            "count",
            "min",
            "max",
            "median",
            "stddev_pop",
            "stddev_samp",
            "var_pop",
            "var_samp",
        ]);
        let measure = self.measure(parts, Some(ValueType::Number));
        format!("{op}({name}[keep {measure}] {})", self.grouping(parts))
    }

    fn over(&mut self, parts: &[Part]) -> String {
        let key = self.identifier(parts);
        let partition = match self.random.below(5) {
            0 => String::new(),
            1 => format!("partition except {}", self.identifier(parts)),
            2 => "partition except all".to_owned(),
            _ => format!("partition by {}", self.identifier(parts)),
        };
        let order = if self.random.one_in(2) { key } else { self.measure(parts, None) };
        let order = match self.random.below(4) {
            0 => String::new(),
            1 => format!(" order by {order} desc"),
            2 => format!(" order by {order}, {}", self.measure(parts, None)),
            _ => format!(" order by {order}"),
        };
        let bounds = ["unbounded", "1", "0", "2", "9223372036854775807", "12", "-1"];
        let (from, to) = (self.random.of(&bounds), self.random.of(&bounds));
        let window = match self.random.below(7) {
            0 => format!(" data points between {from} preceding and {to} following"),
            1 => format!(" range between {from} preceding and {to} following"),
            2 => format!(" data points between {from} preceding and {to} preceding"),
            3 => format!(" range between current data point and {to} following"),
            4 => format!(" range between {from} following and {to} following"),
            _ => String::new(),
        };
        format!("over ({partition}{order}{window})")
    }

    fn analytic(&mut self, operand: &str, parts: &[Part]) -> String {
        let op = self.random.of(&[
            "sum",
            "avg",
            "count",
            "min",
            "max",
            "median",
            "stddev_pop",
            "stddev_samp",
            "var_pop",
            "var_samp",
            "first_value",
            "last_value",
            "lag",
            "lead",
            "ratio_to_report",
        ]);
        let over = self.over(parts);
        let more = match op {
            "lag" | "lead" => self.random.of(&["", ", 1", ", 2, null", ", 9223372036854775807", ", 1, 0"]),
            _ => "",
        };
        format!("{op}({operand}{more} {over})")
    }

    fn windowed(&mut self, name: &str, parts: &[Part]) -> String {
        let measure = self.measure(parts, Some(ValueType::Number));
        match self.random.below(4) {
            0 => self.analytic(&format!("{name}[keep {measure}]"), parts),
            1 => format!("{name}[calc w := rank({})]", self.over(parts)),
            2 => {
                let operand = self.expr(ValueType::Number, 1, parts);
                let inner = self.analytic(&operand, parts);
                format!("{name}[filter {inner} > {}]", self.expr(ValueType::Number, 1, parts))
            }
            _ => {
                let operand = if self.random.one_in(2) { measure } else { self.measure(parts, None) };
                let inner = self.analytic(&operand, parts);
                format!("{name}[calc w := {inner}]")
            }
        }
    }

    fn joined(&mut self, name: &str, parts: &[Part]) -> String {
        let (other, others) = self.named();
        let key = self.identifier(parts);
        let measure = self.measure(&others, None);
        let op = self.random.of(&["inner_join", "left_join", "full_join", "cross_join"]);
        let using =
            if self.random.one_in(3) && op != "cross_join" { format!(" using {key}") } else { String::new() };
        let tail = match self.random.below(6) {
            0 => format!(" filter {}", self.expr(ValueType::Boolean, 2, parts)),
            1 => format!(" calc z := {}", self.expr(ValueType::Number, 2, parts)),
            2 => format!(" keep {measure}"),
            3 => " apply a + b".to_owned(),
            _ => String::new(),
        };
        if self.random.one_in(2) {
            return format!(
                "{op}({name} as a, {other}[keep {measure}][rename {measure} to j] as b{using}{tail})"
            );
        }
        format!("{op}({name} as a, {other} as b{using}{tail})")
    }

    fn sets_of(&mut self, name: &str) -> String {
        let (other, parts) = self.named();
        let filtered = format!("{name}[filter {}]", self.expr(ValueType::Boolean, 2, &parts));
        let op = self.random.of(&["union", "intersect", "setdiff", "symdiff"]);
        match self.random.below(5) {
            0 => format!("exists_in({name}, {other}, {})", self.random.of(&["all", "true", "false"])),
            1 => format!("{op}(D, E)"),
            2 => format!("{op}({filtered}, {name})"),
            3 => format!("union({name}, {filtered}, {name})"),
            _ => format!("{op}({name}, {filtered})"),
        }
    }

    fn timed(&mut self, name: &str, parts: &[Part]) -> String {
        let name = if self.random.one_in(2) { self.random.of(&["D", "U", "Q", "E"]) } else { name };
        let measure = self.measure(parts, None);
        match self.random.below(12) {
            0 => format!(
                "timeshift({name}, {})",
                self.random.of(&["1", "-1", "12", "9223372036854775807", "-9223372036854775807"])
            ),
            1 | 2 => format!(
                "fill_time_series({name}[filter {}], {})",
                self.random.of(&["A = \"a\"", "T < cast(\"2022\", time_period)", "true"]),
                self.random.of(&["single", "all"])
            ),
            3 => format!("flow_to_stock({name})"),
            4 => format!("stock_to_flow({name})"),
            5 => format!(
                "dateadd({name}, {}, \"{}\")",
                self.random.of(&["1", "-1", "100000", "9223372036854775807"]),
                self.random.of(&["D", "W", "M", "Q", "S", "A"])
            ),
            6 => format!("time_agg(\"{}\", {name}#{measure})", self.random.of(&["A", "Q", "M"])),
            7 => format!("period_indicator({name})"),
            8 => format!(
                "ewma({name}, {})",
                self.random.of(&["0.1", "1", "0.999999999999999999999999999999999"])
            ),
            9 => format!("chain_product({name})"),
            10 => format!(
                "{}({name}#{measure})",
                self.random.of(&[
                    "getyear",
                    "getmonth",
                    "dayofmonth",
                    "dayofyear",
                    "yeartoday",
                    "monthtoday",
                    "daytoyear",
                    "daytomonth"
                ])
            ),
            _ => format!("datediff({name}#{measure}, {})", self.expr(ValueType::Date, 1, &[])),
        }
    }

    fn validated(&mut self, name: &str, parts: &[Part]) -> String {
        let measure = self.measure(parts, Some(ValueType::Number));
        let output = self.random.of(&["", " all", " invalid"]);
        let mode = self.random.of(&[
            "",
            " non_null",
            " non_zero",
            " partial_null",
            " partial_zero",
            " always_null",
            " always_zero",
        ]);
        let priority = self.random.of(&["", " dataset", " dataset_priority", " rule_priority"]);
        match self.random.below(5) {
            0 => format!(
                "check({name}#{measure} > {} errorcode \"e\" errorlevel 1 imbalance {name}#{measure}{output})",
                self.expr(ValueType::Number, 1, &[])
            ),
            1 => format!(
                "check_datapoint({name}, DP{})",
                self.random.of(&["", " all", " invalid", " all_measures"])
            ),
            2 => format!(
                "hierarchy({name}[keep {measure}], HR rule A{mode}{})",
                self.random.of(&["", " rule", " rule_priority", " dataset"])
            ),
            3 => format!("check_hierarchy({name}[keep {measure}], HR rule A{mode}{priority}{output})"),
            _ => format!("check({name}#{measure} = {}{output})", self.expr(ValueType::Number, 1, &[])),
        }
    }

    fn texted(&mut self, name: &str, parts: &[Part]) -> String {
        let measure = self.measure(parts, Some(ValueType::String));
        let one = format!("{name}#{measure}");
        let op = self.random.of(&["trim", "ltrim", "rtrim", "upper", "lower", "length"]);
        match self.random.below(7) {
            0 => format!("{op}({one})"),
            1 => format!(
                "substr({one}, {}, {})",
                self.expr(ValueType::Integer, 0, &[]),
                self.expr(ValueType::Integer, 0, &[])
            ),
            2 => format!(
                "replace({one}, {}, {})",
                self.expr(ValueType::String, 0, &[]),
                self.expr(ValueType::String, 0, &[])
            ),
            3 => format!("instr({one}, {})", self.expr(ValueType::String, 0, &[])),
            4 => format!("{one} || {one} || {}", self.expr(ValueType::String, 1, &[])),
            5 => format!("match_characters({one}, \"[a-zß]+.?(é|x)*\")"),
            _ => format!(
                "string_distance({}, {one}, {})",
                self.random.of(&["levenshtein", "damerau_levenshtein", "hamming", "jaro_winkler"]),
                self.expr(ValueType::String, 1, &[])
            ),
        }
    }

    fn called(&mut self, name: &str, parts: &[Part]) -> String {
        let measure = self.measure(parts, Some(ValueType::Number));
        match self.random.below(3) {
            0 => format!("grow({name}[keep {measure}], {})", self.random.of(&["1", "_", "-4"])),
            1 => format!("{name}[calc y := twice({})]", self.expr(ValueType::Number, 2, parts)),
            _ => format!("{name}[calc y := shout({})]", self.expr(ValueType::String, 2, parts)),
        }
    }

    /// Returns an expression of a type over the given components, or over none.
    fn expr(&mut self, kind: ValueType, depth: usize, parts: &[Part]) -> String {
        if depth == 0 || self.random.one_in(4) {
            let component = self.part(parts, |part| part.kind == kind);
            return component.filter(|_| !self.random.one_in(3)).unwrap_or_else(|| self.literal(kind));
        }
        let depth = depth - 1;
        if self.random.one_in(8) {
            return self.choice(kind, depth, parts);
        }
        match kind {
            ValueType::Number => self.number(depth, parts),
            ValueType::Integer => self.integer(depth, parts),
            ValueType::String => self.string(depth, parts),
            ValueType::Boolean => self.boolean(depth, parts),
            ValueType::Date => self.date(depth, parts),
            ValueType::TimePeriod => {
                let unit = self.random.of(&["A", "S", "Q", "M"]);
                format!("time_agg(\"{unit}\", {})", self.expr(kind, depth, parts))
            }
            ValueType::Time => {
                let kind = if self.random.one_in(2) { ValueType::Date } else { ValueType::TimePeriod };
                format!("cast({}, time)", self.expr(kind, depth, parts))
            }
            ValueType::Duration if self.random.one_in(3) => {
                format!("period_indicator({})", self.expr(ValueType::TimePeriod, depth, parts))
            }
            ValueType::Duration => {
                let op = self.random.of(&["daytoyear", "daytomonth"]);
                format!("{op}({})", self.expr(ValueType::Integer, depth, parts))
            }
        }
    }

    fn choice(&mut self, kind: ValueType, depth: usize, parts: &[Part]) -> String {
        let condition = self.expr(ValueType::Boolean, depth, parts);
        let (then, other) = (self.expr(kind, depth, parts), self.expr(kind, depth, parts));
        match self.random.below(3) {
            0 => format!("nvl({then}, {other})"),
            1 => format!("(case when {condition} then {then} else {other})"),
            _ => format!("(if {condition} then {then} else {other})"),
        }
    }

    fn number(&mut self, depth: usize, parts: &[Part]) -> String {
        let (a, b) = (self.expr(ValueType::Number, depth, parts), self.expr(ValueType::Number, depth, parts));
        let n = self.expr(ValueType::Integer, depth, parts);
        match self.random.below(9) {
            0 => format!("{}({a})", self.random.of(&["abs", "sqrt", "ln", "exp", "-"])),
            1 => format!("{}({a}, {n})", self.random.of(&["round", "trunc", "power"])),
            2 => format!("{}({a}, {b})", self.random.of(&["mod", "power", "log"])),
            3 => format!("cast({n}, number)"),
            _ => format!("({a} {} {b})", self.random.of(&["+", "-", "*", "/"])),
        }
    }

    fn integer(&mut self, depth: usize, parts: &[Part]) -> String {
        let (a, b) =
            (self.expr(ValueType::Integer, depth, parts), self.expr(ValueType::Integer, depth, parts));
        let (text, number) =
            (self.expr(ValueType::String, depth, parts), self.expr(ValueType::Number, depth, parts));
        let date = self.expr(ValueType::Date, depth, parts);
        match self.random.below(8) {
            0 => format!("length({text})"),
            1 => format!("instr({text}, {})", self.literal(ValueType::String)),
            2 => format!("{}({number})", self.random.of(&["round", "trunc", "ceil", "floor"])),
            3 => format!("{}({date})", self.random.of(&["getyear", "getmonth", "dayofmonth", "dayofyear"])),
            4 => format!("datediff({date}, {})", self.literal(ValueType::Date)),
            5 => format!("mod({a}, {b})"),
            _ => format!("({a} {} {b})", self.random.of(&["+", "-", "*"])),
        }
    }

    fn string(&mut self, depth: usize, parts: &[Part]) -> String {
        let (a, b) = (self.expr(ValueType::String, depth, parts), self.expr(ValueType::String, depth, parts));
        let kind = self.kind();
        match self.random.below(6) {
            0 => format!("{}({a})", self.random.of(&["trim", "upper", "lower", "ltrim", "rtrim"])),
            1 => format!(
                "substr({a}, {}, {})",
                self.expr(ValueType::Integer, depth, parts),
                self.literal(ValueType::Integer)
            ),
            2 => format!("replace({a}, {b}, {})", self.literal(ValueType::String)),
            3 => format!("cast({}, string)", self.expr(kind, depth, parts)),
            _ => format!("({a} || {b})"),
        }
    }

    fn boolean(&mut self, depth: usize, parts: &[Part]) -> String {
        let kind = self.kind();
        let (a, b) = (self.expr(kind, depth, parts), self.expr(kind, depth, parts));
        let (p, q) =
            (self.expr(ValueType::Boolean, depth, parts), self.expr(ValueType::Boolean, depth, parts));
        let (m, n) = (self.literal(kind), self.literal(kind));
        match self.random.below(7) {
            0 => format!("isnull({a})"),
            1 => format!("between({a}, {b}, {m})"),
            2 => format!("({p} {} {q})", self.random.of(&["and", "or", "xor"])),
            3 => format!("not({p})"),
            4 => format!("({a} {} {{ {m}, {n} }})", self.random.of(&["in", "not_in"])),
            _ => format!("({a} {} {b})", self.random.of(&["=", "<>", "<", "<=", ">", ">="])),
        }
    }

    fn date(&mut self, depth: usize, parts: &[Part]) -> String {
        let a = self.expr(ValueType::Date, depth, parts);
        let (unit, end) = (self.random.of(&["A", "M", "W", "Q", "D"]), self.random.of(&["first", "last"]));
        match self.random.below(3) {
            0 => format!("dateadd({a}, {}, \"{unit}\")", self.expr(ValueType::Integer, depth, parts)),
            1 => format!("time_agg(\"{unit}\", _, {a}, {end})"),
            _ => format!("cast(cast({a}, string), date)"),
        }
    }

    fn literal(&mut self, kind: ValueType) -> String {
        if self.random.one_in(12) {
            return format!("cast(null, {})", kind.as_str());
        }
        let random = &mut self.random;
        match kind {
            ValueType::Number => random
                .of(&[
                    "1.0",
                    "0.5",
                    "-2.5",
                    "100.0",
                    "0.0",
                    "1.000000000000000000000000000000001",
                    "12345678901234567890.12345678901234",
                    "3.0",
                ])
                .to_owned(),
            ValueType::Integer => {
                random.of(&["0", "1", "2", "3", "-1", "12", "9223372036854775807", "100"]).to_owned()
            }
            ValueType::String => {
                random.of(&["\"a\"", "\"\"", "\"b\"", "\"ß\"", "\"x y\"", "\"2010\"", "\"é😀\""]).to_owned()
            }
            ValueType::Boolean => random.of(&["true", "false"]).to_owned(),
            ValueType::Date => format!(
                "cast(\"{}\", date)",
                random.of(&["2020-02-29", "0001-01-01", "9999-12-31", "2020-01-31"])
            ),
            ValueType::TimePeriod => format!(
                "cast(\"{}\", time_period)",
                random.of(&["2020", "2020Q1", "2020M12", "9999W52", "0001"])
            ),
            ValueType::Time => {
                format!("cast(\"{}\", time)", random.of(&["2010-01-01/2010-12-31", "2010-01-05/2010-01-06"]))
            }
            ValueType::Duration => format!("cast(\"{}\", duration)", random.of(&["A", "M", "P1Y6M", "P10D"])),
        }
    }
}
