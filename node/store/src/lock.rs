//! One process owns a data directory.
//!
//! The lock is the operating system's, so it dies with the process; the file's text only says who
//! holds it. The text also tells the next owner how the last one ended: it holds the number of the
//! machine's boot while the store is open and is emptied by an orderly close. A kill keeps what
//! was written (the system has it), but if the machine itself stopped, the index may have lost
//! writes in the middle, because sled does not sync; then it has to be rebuilt.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Name of the lock file in the data directory.
const NAME: &str = "lock";

/// Where Linux tells one boot from another.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Bytes of the lock file that are read: a process number and a boot id, with room.
const TEXT_BYTES_MAX: u64 = 256;

/// Ownership of a data directory, until dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    file: File,
    path: PathBuf,
    /// Whether the machine may have stopped while the last owner had the directory open.
    pub(crate) machine_stopped: bool,
}

impl DirectoryLock {
    /// Takes the directory, or says who has it.
    pub(crate) fn acquire(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy_error(dir, &file)),
            Err(TryLockError::Error(fault)) => return Err(Error::io("lock", &path)(fault)),
        }
        let last = read_text(&file);
        let boot = boot_id();
        let stopped = match last.split_whitespace().nth(1) {
            None => !last.trim().is_empty(),
            Some(last) => boot.as_deref() != Some(last),
        };
        let lock = Self { file, path, machine_stopped: stopped };
        lock.write(&format!("{} {}\n", std::process::id(), boot.as_deref().unwrap_or("unknown")))?;
        Ok(lock)
    }

    /// Says that the index was synced before the end.
    pub(crate) fn mark_closed(&self) -> Result<(), Error> {
        self.write("")
    }

    fn write(&self, text: &str) -> Result<(), Error> {
        // Synced: were the text lost with the machine, the next owner would trust the index.
        let write = || {
            self.file.set_len(0)?;
            crate::disk::write_at(&self.file, text.as_bytes(), 0)?;
            (&self.file).flush()?;
            self.file.sync_all()
        };
        write().map_err(Error::io("write", &self.path))
    }
}

impl Drop for DirectoryLock {
    /// Unlocks, rather than leave it to the end of the file: a process that is just being started by
    /// this one has a copy of the file until it runs, and would keep the lock as long.
    fn drop(&mut self) {
        // Failing that, the system unlocks when the last copy is closed.
        let _ = self.file.unlock();
    }
}

fn read_text(file: &File) -> String {
    let mut text = String::new();
    // A text that cannot be read is no text: it is for people, and for caution.
    match file.take(TEXT_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => text,
        Err(_) => "unreadable".into(),
    }
}

fn busy_error(dir: &Path, file: &File) -> Error {
    let pid = read_text(file).split_whitespace().next().unwrap_or("unknown").to_owned();
    Error::Busy { dir: dir.into(), pid }
}

fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string(BOOT).ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_owner_is_told_about_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::acquire(dir.path()).unwrap();
        assert!(!lock.machine_stopped, "a new directory");
        let text = DirectoryLock::acquire(dir.path()).unwrap_err().to_string();
        assert!(text.ends_with(&format!("is in use by process {}", std::process::id())), "{text}");
        drop(lock);
        assert!(!DirectoryLock::acquire(dir.path()).unwrap().machine_stopped, "a kill within one boot");
    }

    #[test]
    fn a_copy_of_the_file_in_another_process_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::acquire(dir.path()).unwrap();
        // What a fork makes: another descriptor of the same open file.
        let copy = lock.file.try_clone().unwrap();
        drop(lock);
        assert!(DirectoryLock::acquire(dir.path()).is_ok());
        drop(copy);
    }

    #[test]
    fn a_stopped_machine_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        for (text, stopped) in
            [("", false), ("12 another-boot\n", true), ("12\n", true), ("12 unknown", true)]
        {
            std::fs::write(dir.path().join(NAME), text).unwrap();
            let lock = DirectoryLock::acquire(dir.path()).unwrap();
            assert_eq!(lock.machine_stopped, stopped, "{text:?}");
            lock.mark_closed().unwrap();
        }
    }
}
