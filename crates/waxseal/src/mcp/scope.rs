//! What a tool needs of its caller. On a person's own machine looking needs no permission, and what adds, changes
//! or sends is off unless the person switches it on. A token has nothing but its scopes.

use super::answer::Refusal;
use waxseal_app::tokens::{Scope, Scopes};

/// Scopes that a person can switch on for an agent on the own machine.
pub(crate) const SWITCHES: [Scope; 3] = [Scope::AddConnection, Scope::Connections, Scope::TestSend];

/// What a tool needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: it tells what everybody may know.
    Nothing,
    /// A token needs this scope; an agent on a person's own machine needs none.
    OfTokens(Scope),
    /// This scope, wherever the agent is.
    Always(Scope),
}

/// What a caller may do.
#[derive(Clone, Debug)]
pub(super) enum Grant {
    /// An agent that a person started on the own machine.
    Person(Scopes),
    /// A program that came in by a token.
    Token(Scopes),
}

impl Grant {
    /// Refuses what is not allowed.
    pub(super) fn allows(&self, need: Need) -> Result<(), Refusal> {
        let missing = match (need, self) {
            (Need::Nothing, _) | (Need::OfTokens(_), Self::Person(_)) => None,
            (Need::Always(scope), Self::Person(scopes))
            | (Need::Always(scope) | Need::OfTokens(scope), Self::Token(scopes)) => {
                (!scopes.allow(scope)).then_some(scope)
            }
        };
        let Some(scope) = missing else { return Ok(()) };
        let word = scope.as_str();
        Err(match self {
            Self::Person(_) => {
                Refusal::new("scope", format!("this needs the scope {word}, which is off")).hint(
                    format!(
                        "a person who wants it starts the server with: waxseal mcp --allow {word}"
                    ),
                )
            }
            Self::Token(_) => {
                Refusal::new("scope", format!("this token does not have the scope {word}")).hint(
                    format!(
                        "a person who wants it makes a token: waxseal token create --scope {word}"
                    ),
                )
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_scopes_and_a_person_switches_on_what_acts() {
        for scope in Scope::ALL {
            let none = Scopes::default();
            let one: Scopes = [scope].into_iter().collect();
            assert!(Grant::Token(none.clone()).allows(Need::Nothing).is_ok());
            assert!(Grant::Person(none.clone()).allows(Need::OfTokens(scope)).is_ok());
            assert!(Grant::Person(none.clone()).allows(Need::Always(scope)).is_err());
            assert!(Grant::Token(none.clone()).allows(Need::OfTokens(scope)).is_err());
            assert!(Grant::Token(none).allows(Need::Always(scope)).is_err());
            assert!(Grant::Token(one.clone()).allows(Need::OfTokens(scope)).is_ok());
            assert!(Grant::Person(one).allows(Need::Always(scope)).is_ok());
        }
        let add: Scopes = [Scope::AddConnection].into_iter().collect();
        assert!(Grant::Token(add).allows(Need::Always(Scope::Connections)).is_err());
    }
}
