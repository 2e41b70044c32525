//! Texts that are made once in a process: guide pages and findings as HTML. There are as many as there are
//! pages, and none depends on a visitor.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Texts by name.
pub(super) struct Kept(RwLock<BTreeMap<&'static str, Arc<str>>>);

impl Kept {
    pub(super) const fn new() -> Self {
        Self(RwLock::new(BTreeMap::new()))
    }

    /// The text of a name, made by the first one who wants it.
    pub(super) fn get(&self, name: &'static str, make: impl FnOnce() -> String) -> Arc<str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            // Two that come first both make it, and one is kept.
            let text: Arc<str> = make().into();
            let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(texts.entry(name).or_insert(text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_once() {
        let kept = Kept::new();
        assert_eq!(&*kept.get("tls", || "first".to_owned()), "first");
        assert_eq!(&*kept.get("tls", || "second".to_owned()), "first");
        assert_eq!(&*kept.get("dns", || "other".to_owned()), "other");
    }
}
