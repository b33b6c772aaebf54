//! Text form of series keys in URLs.

/// Splits a key into codes. Codes are joined by dots; `_` is the key of figures without dimensions.
pub(crate) fn split_key(text: &str) -> Vec<String> {
    if text == "_" { Vec::new() } else { text.split('.').map(str::to_owned).collect() }
}

/// Joins codes to the text form of a key.
pub(crate) fn join_key(key: &[String]) -> String {
    if key.is_empty() { "_".to_owned() } else { key.join(".") }
}
