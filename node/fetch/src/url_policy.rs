//! What may be asked: https, hosts that are known or were allowed, public addresses.
//!
//! Each address that is asked goes through [`Guard::check`], the first and every redirect; each
//! connection takes its addresses from [`Pinned`], which refuses a name when any of its addresses
//! is not public. INVARIANT: the addresses that were checked are those that are connected to,
//! because nothing resolves the name a second time.

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

/// Hosts of statistical agencies.
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

/// Characters of an address that is asked; as many as a snapshot can keep.
pub const URL_CHARS_MAX: usize = 1024;

/// Names of query parameters that carry a key: keys come from the environment, because an address
/// is kept and published.
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

/// The rules of one fetcher.
#[derive(Debug, Clone)]
pub struct UrlPolicy {
    hosts: BTreeSet<String>,
    /// Tests only: their server is on this machine.
    loopback: bool,
}

impl UrlPolicy {
    /// The known hosts, and those that the user allows.
    ///
    /// # Errors
    /// [`Kind::Asked`] when one of them is no name of a host.
    pub fn new(allowed: &[String]) -> Result<Self, FetchError> {
        let mut hosts: BTreeSet<String> = AGENCY_HOSTS.iter().map(|host| (*host).to_owned()).collect();
        for host in allowed {
            hosts.insert(host_name(host)?);
        }
        Ok(Self { hosts, loopback: false })
    }

    /// The same rules for a server on this machine.
    pub(crate) fn with_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// An address as text, checked.
    ///
    /// # Errors
    /// [`Kind::Asked`] when it is none, [`Kind::Refused`] when it is not allowed.
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
        let url = Url::parse(text).map_err(|fault| wrong(&format!("is no address: {fault}")))?;
        self.check(&url)?;
        if let Some(name) = secret_parameter(&url) {
            return Err(FetchError::new(
                FetchErrorCategory::InvalidRequest,
                "url-secret",
                format!("the address carries a key in `{name}`"),
            )
            .with_hint(
                "leave it out: keys come from the environment, as in FRED_API_KEY, and are never kept",
            ));
        }
        Ok(url)
    }

    /// Checks scheme, host and port of an address; not the network behind it.
    ///
    /// # Errors
    /// [`Kind::Refused`].
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        let refused = |code, message| Err(FetchError::new(FetchErrorCategory::Blocked, code, message));
        if url.scheme() != "https" {
            return refused(
                "url-scheme",
                format!("`{}:` is not fetched, only https", terminal_safe(url.scheme())),
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("url-user", "an address with a user or password is not fetched".into());
        }
        if let Some(port) = url.port() {
            return refused("url-port", format!("port {port} is not asked, only that of https"));
        }
        let Some(Host::Domain(host)) = url.host() else {
            let host = url.host_str().unwrap_or_default();
            return refused("host-address", format!("`{host}` is an address where a name was expected"));
        };
        if !self.hosts.contains(host) {
            let fault = FetchError::new(
                FetchErrorCategory::Blocked,
                "host",
                format!("`{}` is not an allowed host", terminal_safe(host)),
            );
            return Err(fault.with_hint(format!("if you trust it: `--allow-host {}`", terminal_safe(host))));
        }
        Ok(())
    }

    fn allows_address(&self, address: IpAddr) -> bool {
        public_address::is_public(address) || (self.loopback && address.is_loopback())
    }
}

/// The name of a host as it stands in a checked address.
fn host_name(text: &str) -> Result<String, FetchError> {
    let wrong = || {
        let message = format!("`{}` is no name of a host", terminal_safe(text));
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

/// Finds the addresses of a name.
pub trait HostResolver: fmt::Debug + Send + Sync {
    /// The addresses of `host`; none when the name is not known.
    fn lookup(&self, host: &str, port: u16) -> Vec<SocketAddr>;
}

/// A resolver that gives only addresses that the guard admits.
#[derive(Debug)]
pub(crate) struct PublicResolver {
    pub policy: UrlPolicy,
    /// Tests only: another book of names than that of the system.
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
        // One bad address condemns the name: a source has no reason to mix them.
        match found.iter().find(|to| !self.policy.allows_address(to.ip())) {
            Some(bad) => Err(ureq::Error::Other(Box::new(private_address_error(host, bad.ip())))),
            None if found.is_empty() => Err(ureq::Error::HostNotFound),
            None => Ok(found),
        }
    }
}

/// The system tells a name that it does not know as trouble with a file.
fn map_unknown_host(
    found: Result<ResolvedSocketAddrs, ureq::Error>,
) -> Result<ResolvedSocketAddrs, ureq::Error> {
    match found {
        Err(ureq::Error::Io(_)) => Err(ureq::Error::HostNotFound),
        other => other,
    }
}

fn private_address_error(host: &str, address: IpAddr) -> FetchError {
    let message = format!(
        "`{}` leads to {address}, which is not an address of the public network",
        terminal_safe(host)
    );
    FetchError::new(FetchErrorCategory::Blocked, "address-private", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_system_does_not_know_is_no_broken_connection() {
        let io = || ureq::Error::Io(std::io::Error::other("Name or service not known"));
        assert!(matches!(map_unknown_host(Err(io())), Err(ureq::Error::HostNotFound)));
        let late = ureq::Error::Timeout(ureq::Timeout::Resolve);
        assert!(matches!(map_unknown_host(Err(late)), Err(ureq::Error::Timeout(_))));
    }
}
