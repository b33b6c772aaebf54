//! Structure files of the examples: components with role and type, or a scalar with its type.

use schemas::structure::{Component, ComponentList, Role, ValueType};
use schemas::text::Name;
use serde::Deserialize;

/// Structure of an input or a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultStructure {
    /// Data set with these components.
    Data(ComponentList),
    /// Scalar: name and type.
    Scalar(String, ValueType),
}

#[derive(Deserialize)]
struct StructureFile {
    name: String,
    components: Option<Vec<ComponentSpec>>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct ComponentSpec {
    name: String,
    role: String,
    data_type: String,
}

/// Parses a structure file and orders the components by role.
///
/// # Errors
/// The JSON is invalid, or a role, name or type is missing or unknown.
pub fn parse_structure(text: &str) -> Result<ResultStructure, String> {
    let file: StructureFile =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| e.to_string())?;
    let Some(parts) = file.components else {
        let word = file.r#type.ok_or("the structure has neither components nor a type")?;
        return Ok(ResultStructure::Scalar(file.name, parse_type(&word)?));
    };
    let components: Result<Vec<Component>, String> = parts.into_iter().map(parse_component).collect();
    ComponentList::sorted_by_role(components?).map(ResultStructure::Data).map_err(|error| error.to_string())
}

fn parse_component(part: ComponentSpec) -> Result<Component, String> {
    let role = match part.role.as_str() {
        "Identifier" => Role::Identifier,
        "Measure" => Role::Measure,
        "Attribute" => Role::Attribute,
        "ViralAttribute" | "Viral Attribute" => Role::ViralAttribute,
        other => return Err(format!("`{other}` is not a role")),
    };
    let name = Name::new(part.name).map_err(|error| error.to_string())?;
    Ok(Component::new(name, role, parse_type(&part.data_type)?))
}

fn parse_type(word: &str) -> Result<ValueType, String> {
    let plain: String = word.chars().filter(char::is_ascii_alphabetic).collect();
    let same = |kind: &ValueType| kind.as_str().replace('_', "").eq_ignore_ascii_case(&plain);
    ValueType::ALL.into_iter().find(same).ok_or_else(|| format!("`{word}` is not a type"))
}
