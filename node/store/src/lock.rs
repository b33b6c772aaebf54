//! The lock of a data directory, which only one process may open.
//!
//! The operating system's advisory lock ends with the process. The text of the file identifies the
//! owner, and shows the next owner how the last one ended: it holds the boot id of the machine while
//! the store is open and is emptied by an orderly close. A kill loses nothing that was written (the
//! system has it); after a crash of the machine the index may have lost writes, because sled does not
//! sync, and is rebuilt.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::limits::LOCK_TEXT_BYTES_MAX;

/// Name of the lock file in the data directory.
const NAME: &str = "lock";

/// File with the boot id of Linux. Other systems have none and count every unclean end as a crash.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Lock on a data directory, held until dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    file: File,
    path: PathBuf,
    /// Whether the machine may have crashed while the last owner had the directory open.
    pub(crate) machine_stopped: bool,
}

impl DirectoryLock {
    /// Locks the directory; the error names the owner.
    pub(crate) fn acquire(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        // Not truncated: the text of the last owner tells how it ended, or who holds the lock.
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy_error(dir, &file)),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        let last = read_text(&file);
        let boot = boot_id();
        // A kill within one boot loses no cached pages; after a reboot unsynced ones may be gone.
        let stopped = match last.split_whitespace().nth(1) {
            None => !last.trim().is_empty(),
            Some(last) => boot.as_deref() != Some(last),
        };
        let lock = Self { file, path, machine_stopped: stopped };
        lock.write(&format!("{} {}\n", std::process::id(), boot.as_deref().unwrap_or("unknown")))?;
        Ok(lock)
    }

    /// Records an orderly end: the index was synced.
    pub(crate) fn mark_closed(&self) -> Result<(), Error> {
        self.write("")
    }

    fn write(&self, text: &str) -> Result<(), Error> {
        // Synced: if the text were lost in a crash, the next owner would trust the index.
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
    /// Unlocks explicitly instead of by closing the file: a child process that is just being started
    /// has a copy of the descriptor until it runs, and would keep the lock that long.
    fn drop(&mut self) {
        // On failure the system unlocks when the last copy is closed.
        let _ = self.file.unlock();
    }
}

fn read_text(file: &File) -> String {
    let mut text = String::new();
    // Unreadable text counts as an unclean end, which is the safe assumption.
    match file.take(LOCK_TEXT_BYTES_MAX).read_to_string(&mut text) {
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
    fn the_second_owner_gets_the_process_id_of_the_first() {
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
    fn a_crash_of_the_machine_is_detected() {
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
