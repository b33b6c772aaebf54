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

use crate::address;
use crate::fault::{Fault, Kind, shown};

/// Hosts of statistical agencies.
pub const HOSTS: &[&str] = &[
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
const SECRETS: &[&str] = &[
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
pub struct Guard {
    hosts: BTreeSet<String>,
    /// Tests only: their server is on this machine.
    loopback: bool,
}

impl Guard {
    /// The known hosts, and those that the user allows.
    ///
    /// # Errors
    /// [`Kind::Asked`] when one of them is no name of a host.
    pub fn new(allowed: &[String]) -> Result<Self, Fault> {
        let mut hosts: BTreeSet<String> = HOSTS.iter().map(|host| (*host).to_owned()).collect();
        for host in allowed {
            hosts.insert(name(host)?);
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
    pub fn parse(&self, text: &str) -> Result<Url, Fault> {
        let wrong = |why: &str| Fault::new(Kind::Asked, "url", format!("`{}` {why}", shown(text)));
        if text.len() > URL_CHARS_MAX {
            return Err(wrong(&format!("has more than {URL_CHARS_MAX} characters")));
        }
        let url = Url::parse(text).map_err(|fault| wrong(&format!("is no address: {fault}")))?;
        self.check(&url)?;
        if let Some(name) = secret(&url) {
            return Err(Fault::new(
                Kind::Asked,
                "url-secret",
                format!("the address carries a key in `{name}`"),
            )
            .hint("leave it out: keys come from the environment, as in FRED_API_KEY, and are never kept"));
        }
        Ok(url)
    }

    /// Checks scheme, host and port of an address; not the network behind it.
    ///
    /// # Errors
    /// [`Kind::Refused`].
    pub fn check(&self, url: &Url) -> Result<(), Fault> {
        let refused = |code, message| Err(Fault::new(Kind::Refused, code, message));
        if url.scheme() != "https" {
            return refused("url-scheme", format!("`{}:` is not fetched, only https", shown(url.scheme())));
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
            let fault =
                Fault::new(Kind::Refused, "host", format!("`{}` is not an allowed host", shown(host)));
            return Err(fault.hint(format!("if you trust it: `--allow-host {}`", shown(host))));
        }
        Ok(())
    }

    fn admits(&self, address: IpAddr) -> bool {
        address::public(address) || (self.loopback && address.is_loopback())
    }
}

/// The name of a host as it stands in a checked address.
fn name(text: &str) -> Result<String, Fault> {
    let wrong = || {
        let message = format!("`{}` is no name of a host", shown(text));
        Fault::new(Kind::Asked, "host-name", message).hint("as in `--allow-host www.example.org`")
    };
    match Host::parse(text) {
        Ok(Host::Domain(host)) if host.contains('.') && !host.contains('*') => Ok(host),
        _ => Err(wrong()),
    }
}

fn secret(url: &Url) -> Option<String> {
    let mut names = url.query_pairs().map(|(name, _)| name.to_ascii_lowercase());
    names.find(|name| SECRETS.contains(&name.as_str()))
}

/// Finds the addresses of a name.
pub trait Names: fmt::Debug + Send + Sync {
    /// The addresses of `host`; none when the name is not known.
    fn lookup(&self, host: &str, port: u16) -> Vec<SocketAddr>;
}

/// A resolver that gives only addresses that the guard admits.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub guard: Guard,
    /// Tests only: another book of names than that of the system.
    pub names: Option<Arc<dyn Names>>,
}

impl Resolver for Pinned {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let found = match &self.names {
            None => system(DefaultResolver::default().resolve(uri, config, timeout))?,
            Some(names) => {
                let mut found = self.empty();
                names.lookup(host, uri.port_u16().unwrap_or(443)).into_iter().for_each(|to| found.push(to));
                found
            }
        };
        // One bad address condemns the name: a source has no reason to mix them.
        match found.iter().find(|to| !self.guard.admits(to.ip())) {
            Some(bad) => Err(ureq::Error::Other(Box::new(private(host, bad.ip())))),
            None if found.is_empty() => Err(ureq::Error::HostNotFound),
            None => Ok(found),
        }
    }
}

/// The system tells a name that it does not know as trouble with a file.
fn system(found: Result<ResolvedSocketAddrs, ureq::Error>) -> Result<ResolvedSocketAddrs, ureq::Error> {
    match found {
        Err(ureq::Error::Io(_)) => Err(ureq::Error::HostNotFound),
        other => other,
    }
}

fn private(host: &str, address: IpAddr) -> Fault {
    let message =
        format!("`{}` leads to {address}, which is not an address of the public network", shown(host));
    Fault::new(Kind::Refused, "address-private", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_system_does_not_know_is_no_broken_connection() {
        let io = || ureq::Error::Io(std::io::Error::other("Name or service not known"));
        assert!(matches!(system(Err(io())), Err(ureq::Error::HostNotFound)));
        let late = ureq::Error::Timeout(ureq::Timeout::Resolve);
        assert!(matches!(system(Err(late)), Err(ureq::Error::Timeout(_))));
    }
}
