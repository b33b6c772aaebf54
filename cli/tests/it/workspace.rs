//! A workspace: a folder to work in, a data directory, and commands typed there.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use testkit::published_files::find_published_files;

/// Time in which any command must end, also on a loaded machine.
const COMMAND: Duration = Duration::from_secs(60);

/// A folder of its own, gone with the value.
pub struct Workspace(TempDir);

/// Result of a command.
#[derive(Debug)]
#[allow(dead_code, reason = "people read the line where a test fails")]
pub struct CommandResult {
    /// The command as typed.
    pub line: String,
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Workspace {
    /// An empty folder; the data directory is not made yet.
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("assay-it-").tempdir().unwrap())
    }

    /// The workspace of a publisher.
    pub fn with_publisher(name: &str) -> Self {
        let workspace = Self::new();
        workspace.run_line(&format!("assay init --name '{name}'")).ok();
        workspace
    }

    /// A path on the workspace.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Puts a file on the workspace.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The program with these arguments, in a clean environment.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(args).current_dir(self.0.path()).env_clear();
        command.env("ASSAY_DATA_DIR", self.data()).env("TMPDIR", self.0.path()).env("COLUMNS", "100");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with these arguments.
    pub fn run(&self, args: &[&str]) -> CommandResult {
        finish(self.command(args).spawn().unwrap(), args.join(" "))
    }

    /// Types a line, beginning with `assay`, quoted as in a shell.
    pub fn run_line(&self, line: &str) -> CommandResult {
        let words = words(line);
        let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        self.run(&args)
    }

    /// Types a line with `--json` and reads the document.
    pub fn json(&self, line: &str) -> Value {
        let run = self.run_line(&format!("{line} --json")).ok();
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }

    /// The publisher of this workspace.
    pub fn publisher(&self) -> String {
        let state = self.json("assay show");
        let logs = state["logs"].as_array().unwrap();
        text(logs.iter().find(|log| log["own"] == true).unwrap(), "publisher")
    }
}

impl CommandResult {
    /// Demands success.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exit(0)
    }

    /// Demands an exit code, and that nothing panicked.
    #[track_caller]
    pub fn exit(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    /// Requires a text in its output.
    #[track_caller]
    pub fn contains(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "no `{text}` in {self:#?}");
        self
    }
}

/// Waits until a command ends, within bounds.
pub fn finish(mut child: Child, line: String) -> CommandResult {
    let end = Instant::now() + COMMAND;
    let out = drain(child.stdout.take());
    let err = drain(child.stderr.take());
    let left = || end.saturating_duration_since(Instant::now());
    // Its outputs end when it does: there is no need to ask again and again.
    let (Ok(out), Ok(err)) = (out.recv_timeout(left()), err.recv_timeout(left())) else {
        // It may have ended in this moment.
        let _ = child.kill();
        panic!("`{line}` did not end within {} s", COMMAND.as_secs());
    };
    let code = child.wait().unwrap().code().unwrap_or(-1);
    CommandResult { line, code, out, err }
}

/// Reads a stream to its end on a thread of its own.
pub fn drain(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (done, read) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // A stream that breaks has ended as well.
            let _ = stream.read_to_end(&mut bytes);
        }
        done.send(String::from_utf8_lossy(&bytes).into_owned())
    });
    read
}

/// The words of a line, as a shell cuts them: quotes of both kinds, nothing else.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// A text of a document.
#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value:#}")).to_owned()
}

/// The folder of published files, when it is present; prints a notice when it is not.
pub fn library() -> Option<PathBuf> {
    let found = find_published_files("worldbank");
    if found.is_none() {
        println!("notice: no folder of published files (ASSAY_DATA): real files are left out");
    }
    found
}
