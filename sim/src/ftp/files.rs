//! The files of a server: one flat directory in memory, shared by all its sessions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store of files. Clones are handles of the same store, so that what one session stores the next one sees.
#[derive(Clone, Debug, Default)]
pub struct Files {
    by_name: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Files {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of a file.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().get(name).cloned()
    }

    /// Stores a file; one of this name is replaced.
    pub fn put(&self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.lock().insert(name.into(), bytes.into());
    }

    /// Deletes a file; whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        self.lock().remove(name).is_some()
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// What `view` makes of a file's bytes, without a copy of them.
    pub(super) fn with<T>(&self, name: &str, view: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.lock().get(name).map(|bytes| view(bytes))
    }

    /// Lines as of `ls -l`, of one file or of all. The date is fixed: a listing is the same on every day.
    pub(super) fn long_listing(&self, only: Option<&str>) -> String {
        let mut listing = String::new();
        for (name, bytes) in self.lock().iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
            // Writing to a String does not fail.
            let _ =
                write!(listing, "-rw-r--r--    1 ftp      ftp  {:>12} Jan 01  2001 {name}\r\n", bytes.len());
        }
        listing
    }

    /// A store is never left half changed, so one whose holder panicked is as good as any.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store from pairs of name and bytes.
impl<N: Into<String>, B: Into<Vec<u8>>> FromIterator<(N, B)> for Files {
    fn from_iter<I: IntoIterator<Item = (N, B)>>(pairs: I) -> Self {
        let files = Self::new();
        for (name, bytes) in pairs {
            files.put(name, bytes);
        }
        files
    }
}
