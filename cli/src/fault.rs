//! Errors as people see them: what is wrong, where, what to do, and the exit code.

use std::fmt;
use std::io::ErrorKind;

/// What kind of failure it is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything else (1).
    Failure,
    /// The command line or an input file is wrong (2).
    Usage,
    /// A signature does not hold, or somebody signed what they may not (4).
    Trust,
    /// It is not there (5).
    NotFound,
    /// A peer or node cannot be reached (6).
    Network,
}

/// Exit code of a release that differs.
pub const DIFFERS: u8 = 3;

/// An error with hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: Kind,
    /// Stable code, for programs.
    pub code: String,
    /// What is wrong and where.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
}

impl Fault {
    /// An error of a kind.
    pub fn new(kind: Kind, code: &str, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), hints: Vec::new() }
    }

    /// A wrong command line or input.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, code, message)
    }

    /// What the command line parser says: a sentence, then paragraphs with tips and the usage.
    pub fn misuse(text: &str) -> Self {
        let mut parts = text.split("\n\n").map(|part| {
            let lines: Vec<&str> = part.lines().map(str::trim).collect();
            lines.join(" ")
        });
        let first = parts.next().unwrap_or_default();
        let fault = Self::usage("usage", first.trim_start_matches("error: "));
        parts.filter_map(|part| part.strip_prefix("tip: ").map(str::to_owned)).fold(fault, Self::hint)
    }

    /// Something that is not there.
    pub fn absent(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, "not-found", message)
    }

    /// Adds a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code.
    pub fn exit(&self) -> u8 {
        match self.kind {
            Kind::Failure => 1,
            Kind::Usage => 2,
            Kind::Trust => 4,
            Kind::NotFound => 5,
            Kind::Network => 6,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<node::Error> for Fault {
    fn from(error: node::Error) -> Self {
        let (kind, code) = match &error {
            node::Error::DataDirectory(node::data_directory::Error::Identity(_)) => (Kind::Usage, "identity"),
            node::Error::DataDirectory(_) => (Kind::Failure, "data-directory"),
            node::Error::Store(_) => (Kind::Failure, "store"),
            node::Error::Service(_) => (Kind::Failure, "state"),
            node::Error::Network(node::network::Error::Address(_)) => (Kind::Usage, "address"),
            node::Error::Api { source, .. } if source.kind() == ErrorKind::InvalidInput => {
                (Kind::Usage, "address")
            }
            node::Error::Network(_) | node::Error::Api { .. } => (Kind::Network, "network"),
            node::Error::Thread(_) => (Kind::Failure, "system"),
        };
        let fault = Fault::new(kind, code, error.to_string());
        match &error {
            node::Error::Store(node::store::Error::Busy { .. }) => {
                fault.hint("stop the node that has it, or use another data directory with `--data`")
            }
            node::Error::Api { .. } if kind == Kind::Usage => {
                fault.hint("the API is for this machine only: choose 127.0.0.1 or [::1]")
            }
            node::Error::Api { .. } => fault.hint("choose another port with `--api 127.0.0.1:0`"),
            _ => fault,
        }
    }
}

impl From<node::data_directory::Error> for Fault {
    fn from(error: node::data_directory::Error) -> Self {
        node::Error::from(error).into()
    }
}

impl From<node::service::Error> for Fault {
    fn from(error: node::service::Error) -> Self {
        use node::service::Error;
        match &error {
            Error::NotFound(_) => {
                Fault::absent(error.to_string()).hint("`assay show` lists what is held here")
            }
            Error::Malformed(_) => Fault::usage("address", error.to_string()),
            Error::NoIdentity => Fault::usage("no-identity", error.to_string())
                .hint("make one with `assay init --name \"Your office\"`"),
            Error::HasIdentity(_) => Fault::usage("has-identity", error.to_string())
                .hint("use another data directory with `--data` for another publisher"),
            Error::Missing(_) => Fault::absent(error.to_string()),
            Error::Behind { .. } => Fault::new(Kind::Trust, "behind", error.to_string()).hint(
                "let the node sync first: is this a restored backup, or does another machine sign too?",
            ),
            Error::Log(_) | Error::Entry(_) => Fault::new(Kind::Trust, "refused", error.to_string()),
            Error::Store(node::store::Error::Write(_)) => {
                Fault::new(Kind::Failure, "write", error.to_string())
                    .hint("make room on the disk and try again; what was kept before is untouched")
            }
            Error::Store(_) | Error::Object(_) | Error::CorruptRow(_) => {
                Fault::new(Kind::Failure, "store", error.to_string())
            }
        }
    }
}

impl From<ingest::ImportError> for Fault {
    fn from(fault: ingest::ImportError) -> Self {
        let usage = Fault::usage(fault.code, fault.to_string());
        match fault.hint {
            Some(hint) => usage.hint(hint),
            None => usage,
        }
    }
}

impl From<fetch::FetchError> for Fault {
    fn from(fault: fetch::FetchError) -> Self {
        let kind = match fault.category {
            // The words were right; where they led is the doing of the source or the network.
            _ if matches!(fault.code, "address-private" | "redirect" | "redirects") => Kind::Network,
            fetch::FetchErrorCategory::InvalidRequest | fetch::FetchErrorCategory::Blocked => Kind::Usage,
            fetch::FetchErrorCategory::NotFound => Kind::NotFound,
            fetch::FetchErrorCategory::Storage => Kind::Failure,
            fetch::FetchErrorCategory::AccessDenied
            | fetch::FetchErrorCategory::Unavailable
            | fetch::FetchErrorCategory::Network
            | fetch::FetchErrorCategory::TooLarge
            | fetch::FetchErrorCategory::InvalidResponse => Kind::Network,
        };
        let told = Fault::new(kind, fault.code, fault.message);
        match fault.hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}

impl From<ledger::compute::RunError> for Fault {
    fn from(fault: ledger::compute::RunError) -> Self {
        match fault {
            ledger::compute::RunError::Missing(_) => Fault::absent(fault.to_string()),
            ledger::compute::RunError::Failed { code, message } => Fault::usage(&code, message),
        }
    }
}

impl From<ledger::bundle::Error> for Fault {
    fn from(error: ledger::bundle::Error) -> Self {
        Fault::new(Kind::Trust, "bundle", format!("the bundle cannot be believed: {error}"))
            .hint("fetch it again from its source; nothing of it was used")
    }
}

impl From<schemas::object::Error> for Fault {
    fn from(error: schemas::object::Error) -> Self {
        Fault::usage("object", error.to_string())
    }
}

impl From<schemas::text::Error> for Fault {
    fn from(error: schemas::text::Error) -> Self {
        Fault::usage("text", error.to_string())
    }
}
