//! The data set of the moment: replaced as a whole while the bot runs.

use super::dataset::Dataset;
use std::sync::{Arc, PoisonError, RwLock};

/// Where the bot finds the data set of the moment.
pub trait DatasetSource: Send + Sync + 'static {
    /// The data set of the moment; `None` as long as there is none. Called for every message: it must be
    /// cheap and must not wait.
    fn current(&self) -> Option<Arc<Dataset>>;
}

/// A place for one data set. The lock is held for as long as it takes to copy a pointer.
#[derive(Default, Debug)]
pub struct Shelf {
    current: RwLock<Option<Arc<Dataset>>>,
}

impl Shelf {
    /// Puts another data set in place; the old one lives until the last answer made of it is rendered.
    pub fn put(&self, set: Option<Dataset>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = set.map(Arc::new);
    }
}

impl DatasetSource for Shelf {
    fn current(&self) -> Option<Arc<Dataset>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
