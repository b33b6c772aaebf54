//! URL policy: https only, hosts on an allow-list, public addresses.
//!
//! [`UrlPolicy::check`] is applied to the first URL and to every redirect target. Connections take
//! their addresses from [`PublicResolver`], which rejects a host if any of its addresses is not
//! public. INVARIANT: the checked addresses are the ones connected to, since nothing resolves the host
//! a second time (no DNS rebinding).

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use url::{Host, Url};

use crate::error::{FetchError, FetchErrorCategory, terminal_safe};
use crate::public_address;

/// Hosts of statistical agencies, always allowed.
pub const AGENCY_HOSTS: &[&str] = &[
    "api.worldbank.org",
    "api.stlouisfed.org",
    "fred.stlouisfed.org",
    "api.bls.gov",
    "download.bls.gov",
    "ec.europa.eu",
    "sdmx.oecd.org",
    "api.imf.org",
    "rplumber.ilo.org",
    "sdmx.ilo.org",
    "data-api.ecb.europa.eu",
    "bdm.insee.fr",
    "api.insee.fr",
    "www.ons.gov.uk",
];

/// Limit on the characters of a URL, the limit of the URL of a snapshot.
pub const URL_CHARS_MAX: usize = 1024;

/// Query parameters that carry an API key. They are rejected, since URLs are stored and published; keys
/// come from the environment.
const SECRET_PARAMETERS: &[&str] = &[
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "password",
    "registrationkey",
    "subscription-key",
    "token",
    "userid",
];

/// URL policy of one fetcher.
#[derive(Debug, Clone)]
pub struct UrlPolicy {
    hosts: BTreeSet<String>,
    /// Allows loopback addresses, for tests with a local server.
    loopback: bool,
}

impl UrlPolicy {
    /// Allows the hosts of agencies and those in `allowed`.
    ///
    /// # Errors
    /// [`FetchErrorCategory::InvalidRequest`] for an invalid host name.
    pub fn new(allowed: &[String]) -> Result<Self, FetchError> {
        let mut hosts: BTreeSet<String> = AGENCY_HOSTS.iter().map(|host| (*host).to_owned()).collect();
        for host in allowed {
            hosts.insert(host_name(host)?);
        }
        Ok(Self { hosts, loopback: false })
    }

    /// Allows loopback addresses, for tests.
    pub(crate) fn with_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Parses and checks a URL.
    ///
    /// # Errors
    /// [`FetchErrorCategory::InvalidRequest`] for an invalid URL or one with an API key,
    /// [`FetchErrorCategory::Blocked`] for one that the policy does not allow.
    pub fn parse(&self, text: &str) -> Result<Url, FetchError> {
        let wrong = |why: &str| {
            FetchError::new(
                FetchErrorCategory::InvalidRequest,
                "url",
                format!("`{}` {why}", terminal_safe(text)),
            )
        };
        if text.len() > URL_CHARS_MAX {
            return Err(wrong(&format!("has more than {URL_CHARS_MAX} characters")));
        }
        let url = Url::parse(text).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
        self.check(&url)?;
        if let Some(name) = secret_parameter(&url) {
            return Err(FetchError::new(
                FetchErrorCategory::InvalidRequest,
                "url-secret",
                format!("the URL contains an API key in `{name}`"),
            )
            .with_hint(
                "leave it out: keys come from the environment, as in FRED_API_KEY, and are never kept",
            ));
        }
        Ok(url)
    }

    /// Checks scheme, user, port and host of a URL; addresses are checked on connection.
    ///
    /// # Errors
    /// [`FetchErrorCategory::Blocked`].
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        let refused = |code, message| Err(FetchError::new(FetchErrorCategory::Blocked, code, message));
        if url.scheme() != "https" {
            return refused(
                "url-scheme",
                format!("scheme `{}` is not allowed, expected https", terminal_safe(url.scheme())),
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("url-user", "a URL with a user or password is not allowed".into());
        }
        if let Some(port) = url.port() {
            return refused("url-port", format!("port {port} is not allowed, expected 443"));
        }
        let Some(Host::Domain(host)) = url.host() else {
            let host = url.host_str().unwrap_or_default();
            return refused("host-address", format!("expected a host name, found the address `{host}`"));
        };
        // Exact match of the normalised host: no suffix match, no trailing dot.
        if !self.hosts.contains(host) {
            let error = FetchError::new(
                FetchErrorCategory::Blocked,
                "host",
                format!("`{}` is not an allowed host", terminal_safe(host)),
            );
            return Err(error.with_hint(format!("if you trust it: `--allow-host {}`", terminal_safe(host))));
        }
        Ok(())
    }

    fn allows_address(&self, address: IpAddr) -> bool {
        public_address::is_public(address) || (self.loopback && address.is_loopback())
    }
}

/// Parses the name of an allowed host to its form in a URL.
fn host_name(text: &str) -> Result<String, FetchError> {
    let wrong = || {
        let message = format!("`{}` is not a host name", terminal_safe(text));
        FetchError::new(FetchErrorCategory::InvalidRequest, "host-name", message)
            .with_hint("as in `--allow-host www.example.org`")
    };
    match Host::parse(text) {
        Ok(Host::Domain(host)) if host.contains('.') && !host.contains('*') => Ok(host),
        _ => Err(wrong()),
    }
}

fn secret_parameter(url: &Url) -> Option<String> {
    let mut names = url.query_pairs().map(|(name, _)| name.to_ascii_lowercase());
    names.find(|name| SECRET_PARAMETERS.contains(&name.as_str()))
}

/// Name resolution, replaceable in tests.
pub trait HostResolver: fmt::Debug + Send + Sync {
    /// Returns the addresses of `host`; empty for an unknown host.
    fn lookup(&self, host: &str, port: u16) -> Vec<SocketAddr>;
}

/// Resolver that returns only addresses allowed by the policy.
#[derive(Debug)]
pub(crate) struct PublicResolver {
    pub policy: UrlPolicy,
    /// Replacement of the system resolver, for tests.
    pub resolver: Option<Arc<dyn HostResolver>>,
}

impl Resolver for PublicResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let found = match &self.resolver {
            None => map_unknown_host(DefaultResolver::default().resolve(uri, config, timeout))?,
            Some(names) => {
                let mut found = self.empty();
                names.lookup(host, uri.port_u16().unwrap_or(443)).into_iter().for_each(|to| found.push(to));
                found
            }
        };
        // A single private address rejects the host: no legitimate source mixes the two.
        match found.iter().find(|to| !self.policy.allows_address(to.ip())) {
            Some(bad) => Err(ureq::Error::Other(Box::new(private_address_error(host, bad.ip())))),
            None if found.is_empty() => Err(ureq::Error::HostNotFound),
            None => Ok(found),
        }
    }
}

/// Maps the error of an unknown host. The resolver reports an unknown host as an I/O error.
fn map_unknown_host(
    found: Result<ResolvedSocketAddrs, ureq::Error>,
) -> Result<ResolvedSocketAddrs, ureq::Error> {
    match found {
        Err(ureq::Error::Io(_)) => Err(ureq::Error::HostNotFound),
        other => other,
    }
}

fn private_address_error(host: &str, address: IpAddr) -> FetchError {
    let message = format!("`{}` resolves to {address}, which is not a public address", terminal_safe(host));
    FetchError::new(FetchErrorCategory::Blocked, "address-private", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_hosts_are_not_connection_errors() {
        let io = || ureq::Error::Io(std::io::Error::other("Name or service not known"));
        assert!(matches!(map_unknown_host(Err(io())), Err(ureq::Error::HostNotFound)));
        let late = ureq::Error::Timeout(ureq::Timeout::Resolve);
        assert!(matches!(map_unknown_host(Err(late)), Err(ureq::Error::Timeout(_))));
    }
}
