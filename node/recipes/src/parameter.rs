//! Recipes with other parameter values.
//!
//! A parameter is a literal of the script, and the script is signed. Another value therefore makes another
//! recipe, which records the recipe it deviates from and the changed values. A value must be a literal of
//! the same type; the check of the script decides whether it is valid there.

use schemas::content::encode_block;
use schemas::object::Deviation;
use schemas::text::Text;

use crate::file::{Error, RecipeFile, RecipeParameter};

/// Largest value in bytes; literals are short.
const VALUE_BYTES_MAX: usize = 64;

/// Type of a VTL literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LiteralType {
    Number,
    Text,
    Boolean,
}

impl RecipeFile {
    /// The recipe with other values, given as pairs of a parameter name and a literal.
    ///
    /// # Errors
    /// [`Error::Setting`]: unknown parameter, a literal of another type, or a duplicate name.
    pub fn with_parameters(mut self, values: &[(String, String)]) -> Result<Self, Error> {
        // Before the values change: this id is that of the recipe departed from.
        let base = encode_block(&self.recipe).map(|(id, _)| id);
        let mut reasons = Vec::new();
        for (at, (name, value)) in values.iter().enumerate() {
            let wrong = |message: String| Error::Setting { parameter: name.clone(), message };
            if values.iter().take(at).any(|(other, _)| other == name) {
                return Err(wrong("it is set twice".to_owned()));
            }
            let old = self.set_parameter(name, value).map_err(wrong)?;
            if old != *value {
                let reason = format!("The parameter {name} is {value} instead of {old}.");
                reasons.push(Text::new(reason).map_err(|error| wrong(error.to_string()))?);
            }
        }
        let Some((name, _)) = values.first().filter(|_| !reasons.is_empty()) else { return Ok(self) };
        let recipe =
            base.map_err(|error| Error::Setting { parameter: name.clone(), message: error.to_string() })?;
        self.deviates_from = Some(recipe.to_string());
        self.recipe.deviates_from = Some(Deviation { recipe, reasons });
        Ok(self)
    }

    /// Writes one value into the script and returns the previous value, or an error message.
    fn set_parameter(&mut self, name: &str, value: &str) -> Result<String, String> {
        let known: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let absent = || format!("unknown parameter (parameters of the recipe: {known})");
        let RecipeParameter { value: old, .. } = self.parameters.get_mut(name).ok_or_else(absent)?;
        match literal_type(value) {
            Some(found) if literal_type(old) == Some(found) => {}
            _ => return Err(format!("expected a literal like `{old}`, found `{value}`")),
        }
        let (from, to) = (format!("{name} := {old};"), format!("{name} := {value};"));
        let script = self.recipe.script.as_str();
        let mut lines: Vec<String> = script.split('\n').map(str::to_owned).collect();
        let mut found = lines.iter_mut().filter(|line| line.starts_with(&from));
        // With two such lines it would be unclear which of them sets the parameter.
        let (Some(line), None) = (found.next(), found.next()) else {
            return Err(format!("expected one line of the script to begin with `{from}`"));
        };
        *line = line.replacen(&from, &to, 1);
        self.recipe.script = Text::new(lines.join("\n")).map_err(|error| error.to_string())?;
        Ok(std::mem::replace(old, value.to_owned()))
    }
}

/// The type of a literal; `None` when the text is not exactly one literal token.
fn literal_type(text: &str) -> Option<LiteralType> {
    if text.len() > VALUE_BYTES_MAX {
        return None;
    }
    if let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        // A quote inside could end the literal and add statements to the signed script.
        return (!inner.contains(['"', '\\']) && !inner.contains(char::is_control))
            .then_some(LiteralType::Text);
    }
    if matches!(text, "true" | "false") {
        return Some(LiteralType::Boolean);
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text.strip_prefix('-').unwrap_or(text);
    let number = plain.split_once('.').map_or(digits(plain), |(whole, part)| digits(whole) && digits(part));
    number.then_some(LiteralType::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_one_token() {
        for (text, found) in [
            ("2", Some(LiteralType::Number)),
            ("-0.25", Some(LiteralType::Number)),
            ("true", Some(LiteralType::Boolean)),
            ("\"FOOD\"", Some(LiteralType::Text)),
            ("", None),
            (".5", None),
            ("1.", None),
            ("1e3", None),
            ("2; X := 1", None),
            ("\"a\" || \"b\"", None),
            ("\"a\n\"", None),
            ("LIMIT", None),
        ] {
            assert_eq!(literal_type(text), found, "{text}");
        }
        assert_eq!(literal_type(&"9".repeat(VALUE_BYTES_MAX + 1)), None);
    }
}
