//! What a token may do. Looking, checking, changing and sending are separate permissions; none of them makes
//! tokens or people.

use std::collections::BTreeSet;

/// A permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look at connections, their tests and jobs.
    Read,
    /// Have domains checked from this server.
    Check,
    /// Add connections, without their secrets.
    AddConnection,
    /// Add, change, verify, enable, disable and remove connections, and store their secrets.
    Connections,
    /// Send real test messages over stored connections.
    TestSend,
}

impl Scope {
    /// Every scope, the least first.
    pub const ALL: [Self; 5] =
        [Self::Read, Self::Check, Self::AddConnection, Self::Connections, Self::TestSend];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddConnection => "add-connection",
            Self::Check => "check",
            Self::Connections => "connections",
            Self::Read => "read",
            Self::TestSend => "test-send",
        }
    }

    /// The scope of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// All words, for a hint.
    pub fn words() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

/// The permissions of one token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// The permissions of these words. One that this program does not know permits nothing.
    pub fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        words.into_iter().filter_map(Scope::parse).collect()
    }

    /// Whether something may be done. Whoever may change connections may add one.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
            || (scope == Scope::AddConnection && self.0.contains(&Scope::Connections))
    }

    /// Whether nothing may be done.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words, the least permission first.
    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.as_str()).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_permits_itself_and_adding_is_part_of_changing() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            let scopes = Scopes::of_words([scope.as_str(), "of-a-later-release"]);
            for other in Scope::ALL {
                let is_part = scope == Scope::Connections && other == Scope::AddConnection;
                assert_eq!(scopes.allow(other), scope == other || is_part, "{scope:?} {other:?}");
            }
        }
        assert!(Scopes::of_words(["tokens", ""]).is_empty());
        let words = Scopes::of_words(["test-send", "read", "read"]).words();
        assert_eq!(words, ["read", "test-send"]);
    }
}
