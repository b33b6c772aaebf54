//! API keys: read from the environment, added to requests, and never stored or shown.
//!
//! A key belongs to one host. It is added to a request just before sending, after the URL that is
//! shown, stored and published has been copied. No type in this module prints a key.

use std::fmt;

use url::Url;

use crate::error::{FetchError, FetchErrorCategory};

/// Part of a request that carries the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyLocation {
    Query(&'static str),
    Header(&'static str),
    /// Field of a JSON body; query parameter of a request without body.
    Body(&'static str),
}

/// Host, environment variable of its key, and location of the key in a request.
const KEYS: &[(&str, &str, KeyLocation)] = &[
    ("api.stlouisfed.org", "FRED_API_KEY", KeyLocation::Query("api_key")),
    ("api.bls.gov", "BLS_API_KEY", KeyLocation::Body("registrationkey")),
    ("api.insee.fr", "INSEE_API_KEY", KeyLocation::Header("X-INSEE-Api-Key-Integration")),
    ("api.imf.org", "IMF_API_KEY", KeyLocation::Header("Ocp-Apim-Subscription-Key")),
];

/// Limit on the characters of a key.
const KEY_CHARS_MAX: usize = 256;

/// Configured API keys.
#[derive(Clone, Default)]
pub struct ApiKeys(Vec<ApiKey>);

/// API key of one host.
#[derive(Clone)]
pub(crate) struct ApiKey {
    host: &'static str,
    location: KeyLocation,
    value: String,
}

/// Request parts with the key added, for sending only.
pub(crate) struct AuthenticatedRequest {
    pub url: Url,
    pub header: Option<(&'static str, String)>,
    pub body: Option<String>,
}

impl ApiKeys {
    /// Reads keys by variable name; a program passes a function that reads its environment.
    ///
    /// # Errors
    /// [`FetchErrorCategory::InvalidRequest`] for a key with characters outside `A-Za-z0-9-_`.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, FetchError> {
        let mut keys = Vec::new();
        for (host, name, place) in KEYS {
            let Some(value) = variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty())
            else {
                continue;
            };
            // Such a key needs no escaping in a URL, a header or a JSON body, so `redact_error` finds
            // it in any text.
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if value.len() > KEY_CHARS_MAX || !value.bytes().all(plain) {
                let message = format!("{name} is not a valid key, expected letters, digits, `-` and `_`");
                return Err(FetchError::new(FetchErrorCategory::InvalidRequest, "key", message));
            }
            keys.push(ApiKey { host, location: *place, value });
        }
        Ok(Self(keys))
    }

    /// Returns the key for the host of a URL.
    pub(crate) fn for_url(&self, url: &Url) -> Option<&ApiKey> {
        self.0.iter().find(|key| Some(key.host) == url.host_str())
    }

    /// Removes all keys from the texts of an error.
    pub(crate) fn redact_error(&self, error: FetchError) -> FetchError {
        self.0.iter().fold(error, |error, key| error.redacted(&key.value))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// Returns the environment variable of the key for the host of a URL.
pub(crate) fn key_variable(url: &Url) -> Option<&'static str> {
    KEYS.iter().find(|(host, ..)| Some(*host) == url.host_str()).map(|(_, name, _)| *name)
}

/// Adds a key to the URL, a header or the body of a request.
pub(crate) fn add_key(
    key: Option<&ApiKey>,
    url: &Url,
    body: Option<&serde_json::Value>,
) -> AuthenticatedRequest {
    let (mut url, mut body, mut header) = (url.clone(), body.cloned(), None);
    let value = key.map(|key| key.value.clone()).unwrap_or_default();
    match (key.map(|key| key.location), body.as_mut().and_then(|body| body.as_object_mut())) {
        (Some(KeyLocation::Body(name)), Some(fields)) => {
            fields.insert(name.into(), value.into());
        }
        (Some(KeyLocation::Body(name) | KeyLocation::Query(name)), _) => {
            url.query_pairs_mut().append_pair(name, &value);
        }
        (Some(KeyLocation::Header(name)), _) => header = Some((name, value)),
        (None, _) => {}
    }
    AuthenticatedRequest { url, header, body: body.map(|body| body.to_string()) }
}

/// Removes the key from the query of a redirect target, which may be another host.
///
/// # Errors
/// [`FetchErrorCategory::Blocked`] when the key occurs outside of the query values.
pub(crate) fn strip_key(key: Option<&ApiKey>, mut url: Url) -> Result<Url, FetchError> {
    let Some(key) = key.filter(|key| url.as_str().contains(&key.value)) else { return Ok(url) };
    let pairs = url.query_pairs().into_owned();
    let kept: Vec<(String, String)> = pairs.filter(|(_, value)| *value != key.value).collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    if url.as_str().contains(&key.value) {
        let message = format!("`{}` redirects to a URL that contains the API key", key.host);
        return Err(FetchError::new(FetchErrorCategory::Blocked, "redirect", message));
    }
    Ok(url)
}
