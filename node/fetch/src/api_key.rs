//! API keys: from the environment into a request, and nowhere else.
//!
//! A key belongs to a host and is added for the one request that goes there, after the address
//! that is shown, kept and published was taken. No type here prints one.

use std::fmt;

use url::Url;

use crate::error::{FetchError, FetchErrorCategory};

/// Where a key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyLocation {
    Query(&'static str),
    Header(&'static str),
    /// A field of a JSON body; a query parameter where there is no body.
    Body(&'static str),
}

/// A host, the variable that has its key, and where the key goes.
const KEYS: &[(&str, &str, KeyLocation)] = &[
    ("api.stlouisfed.org", "FRED_API_KEY", KeyLocation::Query("api_key")),
    ("api.bls.gov", "BLS_API_KEY", KeyLocation::Body("registrationkey")),
    ("api.insee.fr", "INSEE_API_KEY", KeyLocation::Header("X-INSEE-Api-Key-Integration")),
    ("api.imf.org", "IMF_API_KEY", KeyLocation::Header("Ocp-Apim-Subscription-Key")),
];

/// Characters of a key.
const KEY_CHARS_MAX: usize = 256;

/// The keys at hand.
#[derive(Clone, Default)]
pub struct ApiKeys(Vec<ApiKey>);

/// One key.
#[derive(Clone)]
pub(crate) struct ApiKey {
    host: &'static str,
    location: KeyLocation,
    value: String,
}

/// A request with its key: for the wire only.
pub(crate) struct AuthenticatedRequest {
    pub url: Url,
    pub header: Option<(&'static str, String)>,
    pub body: Option<String>,
}

impl ApiKeys {
    /// The keys that `variable` knows; a program passes a reader of its environment.
    ///
    /// # Errors
    /// [`Kind::Asked`] when a key has a character that no key has.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, FetchError> {
        let mut keys = Vec::new();
        for (host, name, place) in KEYS {
            let Some(value) = variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty())
            else {
                continue;
            };
            // Such a key reads the same in an address, a header and a body, so that it can be found
            // and taken out of any text.
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if value.len() > KEY_CHARS_MAX || !value.bytes().all(plain) {
                let message = format!("{name} is no key: expected letters, digits, `-` and `_`");
                return Err(FetchError::new(FetchErrorCategory::InvalidRequest, "key", message));
            }
            keys.push(ApiKey { host, location: *place, value });
        }
        Ok(Self(keys))
    }

    /// The key of a host.
    pub(crate) fn for_url(&self, url: &Url) -> Option<&ApiKey> {
        self.0.iter().find(|key| Some(key.host) == url.host_str())
    }

    /// The fault without any key in its words.
    pub(crate) fn redact_error(&self, fault: FetchError) -> FetchError {
        self.0.iter().fold(fault, |fault, key| fault.redacted(&key.value))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// The variable that would hold the key of a host.
pub(crate) fn key_variable(url: &Url) -> Option<&'static str> {
    KEYS.iter().find(|(host, ..)| Some(*host) == url.host_str()).map(|(_, name, _)| *name)
}

/// Adds a key to a request.
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

/// Takes the key out of an address that a source redirects to.
///
/// # Errors
/// [`Kind::Refused`] when it stands where it cannot be taken out.
pub(crate) fn strip_key(key: Option<&ApiKey>, mut url: Url) -> Result<Url, FetchError> {
    let Some(key) = key.filter(|key| url.as_str().contains(&key.value)) else { return Ok(url) };
    let pairs = url.query_pairs().into_owned();
    let kept: Vec<(String, String)> = pairs.filter(|(_, value)| *value != key.value).collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    if url.as_str().contains(&key.value) {
        let message = format!("`{}` redirects with the key in the address", key.host);
        return Err(FetchError::new(FetchErrorCategory::Blocked, "redirect", message));
    }
    Ok(url)
}
