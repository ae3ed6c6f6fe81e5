//! The process's own copy of the settings: the only layer where there is neither Redis nor database.

use crate::runtime::sync::{Arc, Mutex};
use std::collections::HashMap;

#[derive(Debug)]
struct Kept {
    text: Arc<str>,
    /// Read from a layer that is gone: known, and not this process's to hand on.
    borrowed: bool,
}

/// Named texts that live as long as the process. A hook's own memory lies above it.
#[derive(Debug, Default)]
pub struct MemorySource {
    texts: Mutex<HashMap<Arc<str>, Kept>>,
}

impl MemorySource {
    /// The text of this name.
    pub fn get(&self, name: &str) -> Option<Arc<str>> {
        self.texts.lock().get(name).map(|kept| Arc::clone(&kept.text))
    }

    /// The text of this name, if it is this process's own.
    pub fn own(&self, name: &str) -> Option<Arc<str>> {
        self.texts.lock().get(name).filter(|kept| !kept.borrowed).map(|kept| Arc::clone(&kept.text))
    }

    /// Keeps `text` under `name`.
    pub fn set(&self, name: Arc<str>, text: Arc<str>) {
        self.texts.lock().insert(name, Kept { text, borrowed: false });
    }

    /// Keeps `text` unless the name has one already, and returns what it has now: of two racing defaults one wins.
    pub fn set_if_absent(&self, name: Arc<str>, text: Arc<str>) -> Arc<str> {
        Arc::clone(&self.texts.lock().entry(name).or_insert(Kept { text, borrowed: false }).text)
    }

    /// Keeps what a layer that goes away has last said of a name, unless the name has a text already.
    pub fn borrow(&self, name: Arc<str>, text: Arc<str>) {
        self.texts.lock().entry(name).or_insert(Kept { text, borrowed: true });
    }

    /// Forgets the name; says whether it was known.
    pub fn remove(&self, name: &str) -> bool {
        self.texts.lock().remove(name).is_some()
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.texts.lock().keys().cloned().collect();
        names.sort();
        names
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.texts.lock().clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_defaults_wins() {
        let source = MemorySource::default();
        assert_eq!(&*source.set_if_absent("a".into(), "1".into()), "1");
        assert_eq!(&*source.set_if_absent("a".into(), "2".into()), "1");
    }

    #[test]
    fn what_was_removed_is_absent() {
        let source = MemorySource::default();
        source.set("a".into(), "1".into());
        assert!(source.remove("a") && !source.remove("a"));
        assert_eq!(source.get("a"), None);
    }

    #[test]
    fn what_is_borrowed_is_known_and_not_its_own() {
        let source = MemorySource::default();
        source.set("mine".into(), "1".into());
        source.borrow("mine".into(), "2".into());
        source.borrow("theirs".into(), "3".into());
        assert_eq!((source.get("mine").as_deref(), source.own("mine").as_deref()), (Some("1"), Some("1")));
        assert_eq!((source.get("theirs").as_deref(), source.own("theirs")), (Some("3"), None));
    }
}
