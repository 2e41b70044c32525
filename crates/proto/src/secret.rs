//! A value that must not be shown: no `Debug` content, no `Display`, no serialisation.
//!
//! Deliberately absent: `Deref`, `PartialEq`, serde. The only way to the value is
//! [`Secret::expose`], so that every use can be found by name.

/// A secret of any type. Its `Debug` prints a fixed word.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Call it only where the secret leaves for the peer it belongs to.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> std::fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}
