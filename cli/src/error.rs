//! Errors of the command line: stable code, message, hints and exit code.

use std::fmt;
use std::io::ErrorKind;

/// Category of an error; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCategory {
    /// Any other failure (1).
    Failure,
    /// The command line or an input file is invalid (2).
    Usage,
    /// Signature verification failed, or a signer lacks the authority (4).
    Trust,
    /// Something is missing (5).
    NotFound,
    /// A peer, node or source cannot be reached (6).
    Network,
}

/// Exit code of any other failure.
pub const EXIT_FAILURE: u8 = 1;
/// Exit code when a release differs, or a source changed.
pub const EXIT_DIFFERS: u8 = 3;
/// Exit code when a signature, a right to sign or an object is not valid.
pub const EXIT_UNTRUSTED: u8 = 4;
/// Exit code when blocks are missing.
pub const EXIT_MISSING: u8 = 5;
/// Exit code when a release holds, but is retracted, superseded or contested.
pub const EXIT_CONTESTED: u8 = 7;

/// An error with hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// Category, which decides the exit code.
    pub category: ErrorCategory,
    /// Stable code that programs may match.
    pub code: String,
    /// Description of the error and its location.
    pub message: String,
    /// Suggestions for the user.
    pub hints: Vec<String>,
}

impl CommandError {
    /// Creates an error without hints.
    pub fn new(category: ErrorCategory, code: &str, message: impl Into<String>) -> Self {
        Self { category, code: code.into(), message: message.into(), hints: Vec::new() }
    }

    /// Creates an error about an invalid command line or input.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCategory::Usage, code, message)
    }

    /// Converts a message of clap: a sentence, followed by paragraphs with tips and the usage.
    pub fn from_parser(text: &str) -> Self {
        // clap separates the message, its tips and the usage by blank lines.
        let mut parts = text.split("\n\n").map(|part| {
            let lines: Vec<&str> = part.lines().map(str::trim).collect();
            lines.join(" ")
        });
        let first = parts.next().unwrap_or_default();
        let error = Self::usage("usage", first.trim_start_matches("error: "));
        parts.filter_map(|part| part.strip_prefix("tip: ").map(str::to_owned)).fold(error, Self::hint)
    }

    /// Creates an error about something missing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCategory::NotFound, "not-found", message)
    }

    /// Adds a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the exit code of the category.
    pub fn exit_code(&self) -> u8 {
        match self.category {
            ErrorCategory::Failure => EXIT_FAILURE,
            ErrorCategory::Usage => 2,
            ErrorCategory::Trust => EXIT_UNTRUSTED,
            ErrorCategory::NotFound => EXIT_MISSING,
            ErrorCategory::Network => 6,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<node::Error> for CommandError {
    fn from(error: node::Error) -> Self {
        let (category, code) = match &error {
            node::Error::DataDirectory(node::data_directory::Error::Identity(_)) => {
                (ErrorCategory::Usage, "identity")
            }
            node::Error::DataDirectory(_) => (ErrorCategory::Failure, "data-directory"),
            node::Error::Store(_) => (ErrorCategory::Failure, "store"),
            node::Error::Service(_) => (ErrorCategory::Failure, "state"),
            node::Error::PeerAddress(_) => (ErrorCategory::Usage, "address"),
            // The API refuses addresses of other machines with this kind.
            node::Error::Api { source, .. } if source.kind() == ErrorKind::InvalidInput => {
                (ErrorCategory::Usage, "address")
            }
            node::Error::Network(_) | node::Error::Api { .. } => (ErrorCategory::Network, "network"),
            node::Error::Thread(_) => (ErrorCategory::Failure, "system"),
        };
        let converted = CommandError::new(category, code, error.to_string());
        match &error {
            node::Error::Store(store::Error::Busy { .. }) => {
                converted.hint("stop the node that uses it, or choose another data directory with `--data`")
            }
            node::Error::Api { .. } if category == ErrorCategory::Usage => {
                converted.hint("the API serves this machine only: use 127.0.0.1 or [::1]")
            }
            node::Error::Api { .. } => converted.hint("choose another port with `--api 127.0.0.1:0`"),
            _ => converted,
        }
    }
}

impl From<node::data_directory::Error> for CommandError {
    fn from(error: node::data_directory::Error) -> Self {
        node::Error::from(error).into()
    }
}

impl From<service::Error> for CommandError {
    fn from(error: service::Error) -> Self {
        use service::Error;
        match &error {
            Error::NotFound(_) => {
                CommandError::not_found(error.to_string()).hint("`assay show` lists everything stored here")
            }
            Error::Malformed(_) => CommandError::usage("address", error.to_string()),
            Error::NoIdentity => CommandError::usage("no-identity", error.to_string())
                .hint("create one with `assay init --name \"Your institute\"`"),
            Error::HasIdentity(_) => CommandError::usage("has-identity", error.to_string())
                .hint("to create another publisher, choose another data directory with `--data`"),
            Error::Missing(_) => CommandError::not_found(error.to_string()),
            Error::Behind { .. } => CommandError::new(ErrorCategory::Trust, "behind", error.to_string())
                .hint(
                    "let the node sync first; a restored backup or a second machine that signs are possible causes",
                ),
            Error::Log(_) | Error::Entry(_) => {
                CommandError::new(ErrorCategory::Trust, "refused", error.to_string())
            }
            Error::Store(store::Error::Write(_)) => {
                CommandError::new(ErrorCategory::Failure, "write", error.to_string())
                    .hint("free disk space and try again; stored data is intact")
            }
            Error::Store(_) | Error::Object(_) | Error::CorruptRow(_) => {
                CommandError::new(ErrorCategory::Failure, "store", error.to_string())
            }
        }
    }
}

impl From<ingest::ImportError> for CommandError {
    fn from(error: ingest::ImportError) -> Self {
        let usage = CommandError::usage(error.code, error.to_string());
        match error.hint {
            Some(hint) => usage.hint(hint),
            None => usage,
        }
    }
}

impl From<fetch::FetchError> for CommandError {
    fn from(error: fetch::FetchError) -> Self {
        let category = match error.category {
            // The request was valid; the redirect is the doing of the source or the network.
            _ if matches!(error.code, "address-private" | "redirect" | "redirects") => ErrorCategory::Network,
            fetch::FetchErrorCategory::InvalidRequest | fetch::FetchErrorCategory::Blocked => {
                ErrorCategory::Usage
            }
            fetch::FetchErrorCategory::NotFound => ErrorCategory::NotFound,
            fetch::FetchErrorCategory::Storage => ErrorCategory::Failure,
            fetch::FetchErrorCategory::AccessDenied
            | fetch::FetchErrorCategory::Unavailable
            | fetch::FetchErrorCategory::Network
            | fetch::FetchErrorCategory::TooLarge
            | fetch::FetchErrorCategory::InvalidResponse => ErrorCategory::Network,
        };
        let told = CommandError::new(category, error.code, error.message);
        match error.hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}

impl From<ledger::compute::RunError> for CommandError {
    fn from(error: ledger::compute::RunError) -> Self {
        match error {
            ledger::compute::RunError::Missing(_) => CommandError::not_found(error.to_string()),
            ledger::compute::RunError::Failed { code, message }
            | ledger::compute::RunError::TooCostly { code, message } => CommandError::usage(&code, message),
        }
    }
}

impl From<submit::SubmitError> for CommandError {
    fn from(error: submit::SubmitError) -> Self {
        match error {
            submit::SubmitError::Import(error) => error.into(),
            submit::SubmitError::Compute(error) => error.into(),
            submit::SubmitError::Choice(error) => error.into(),
            submit::SubmitError::Object(error) => error.into(),
            submit::SubmitError::Text(error) => error.into(),
        }
    }
}

impl From<submit::ChoiceError> for CommandError {
    fn from(error: submit::ChoiceError) -> Self {
        use submit::ChoiceError;
        let (code, hint) = match &error {
            ChoiceError::NoRecipe { .. } => (
                "inputs",
                "`assay recipe list` shows the inputs of each recipe; name one, and its inputs with `--input NAME=DATASET`".to_owned(),
            ),
            ChoiceError::SeveralRecipes { .. } => ("ambiguous", "name one of them in place of the indicator".to_owned()),
            ChoiceError::MissingInput { input, .. } => {
                ("inputs", format!("add `--input {input}=<data set>`, or `--from` with a data set that has its columns"))
            }
            ChoiceError::AmbiguousInput { input, .. } => {
                ("ambiguous", format!("choose one: `--input {input}=<data set>`"))
            }
            ChoiceError::UnusedDataset { .. } => {
                ("inputs", "omit it, or assign it to an input with `--input`".to_owned())
            }
            ChoiceError::Library(error) => return error.clone().into(),
        };
        CommandError::usage(code, error.to_string()).hint(hint)
    }
}

impl From<ledger::bundle::Error> for CommandError {
    fn from(error: ledger::bundle::Error) -> Self {
        // A file that is no bundle at all says nothing about anybody's signature.
        let category = if error.code() == "framing" { ErrorCategory::Usage } else { ErrorCategory::Trust };
        CommandError::new(category, error.code(), format!("the bundle is invalid: {error}"))
            .hint("download it again; nothing in it was used")
    }
}

impl From<schemas::object::Error> for CommandError {
    fn from(error: schemas::object::Error) -> Self {
        CommandError::usage("object", error.to_string())
    }
}

impl From<schemas::text::Error> for CommandError {
    fn from(error: schemas::text::Error) -> Self {
        CommandError::usage("text", error.to_string())
    }
}
