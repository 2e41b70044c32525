//! Tokens by which programs come in: made, listed, revoked, and judged when shown. A token belongs to one
//! workspace and acts within its scopes; its text is shown once and stored as a hash only.
//!
//! The way in is [`Tokens`]. Keep: a token that never was, ended or was revoked is refused in the same way, and
//! none makes another one: tokens are made by people.

mod scope;
pub mod wire;

use crate::audit;
use crate::check_desk::Budget;
use crate::limits::{
    TOKEN_HOLDS, TOKEN_HOLDS_MAX, TOKEN_USE_NOTED_EVERY, WRONG_TOKENS_PER_CLIENT,
    WRONG_TOKENS_PERIOD,
};
use crate::store::Data;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use waxseal_store::api_tokens::{ApiToken, ApiTokens as _, HeldToken};
use waxseal_store::connection::{FieldError, OneLine};
use waxseal_store::id::{ApiTokenId, NoRandomness, WorkspaceId};
use waxseal_store::kept_answers::{AnswerKey, KeptAnswers as _};
use waxseal_store::secret_links::SecretLinks as _;
use waxseal_store::token::{Token, TokenHash};
use waxseal_store::{Store, StoreError};

pub use scope::{Scope, Scopes};
pub use waxseal_store::id::ApiTokenId as TokenId;
use wire::TokenView;

/// What every token begins with, so that one that leaked is recognised.
pub const TOKEN_PREFIX: &str = "wxs_";

/// What a new token is to be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Until when.
    pub expires: Expiry,
}

/// When a token ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// After the usual time.
    #[default]
    Default,
    /// When it is revoked.
    Never,
}

impl Expiry {
    /// Reads a date (its last day, in UTC), a time, a number of days such as `30d`, or `never`.
    ///
    /// # Errors
    /// Any other text, or a time that is over or too far away.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, TokenError> {
        let text = text.trim();
        if text == "never" {
            return Ok(Self::Never);
        }
        let days = |text: &str| text.strip_suffix('d')?.parse::<i64>().ok();
        let of_date = |text: &str| {
            let next = text.parse::<Date>().ok()?.tomorrow().ok()?;
            TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok()
        };
        let at = match (days(text), text.parse::<Timestamp>()) {
            (Some(days), _) => {
                let hours = days.checked_mul(24).ok_or(TokenError::Expiry)?;
                now.checked_add(SignedDuration::from_hours(hours)).ok()
            }
            (None, Ok(time)) => Some(time),
            (None, Err(_)) => of_date(text),
        };
        let at = at.ok_or(TokenError::Expiry)?;
        let is_in_range = at > now && at.duration_since(now) <= TOKEN_HOLDS_MAX;
        if is_in_range { Ok(Self::At(at)) } else { Err(TokenError::Expiry) }
    }
}

/// A token that was just made. Its text is shown now and never again.
#[derive(Debug)]
pub struct Created {
    /// The text.
    pub text: TokenText,
    /// What it may do.
    pub token: TokenView,
}

/// The text of a token. `Debug` does not show it.
pub struct TokenText(String);

impl TokenText {
    fn new() -> Result<Self, NoRandomness> {
        Ok(Self(format!("{TOKEN_PREFIX}{}", Token::new()?.expose())))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for TokenText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenText(..)")
    }
}

/// A program that came in by its token.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The token.
    pub id: ApiTokenId,
    /// What people call the token.
    pub name: String,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// What people call the workspace.
    pub workspace_name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// Seals the answers that are kept for it.
    pub answers: AnswerKey,
}

impl Bearer {
    /// Who acts, for the log of changes.
    pub fn who(&self) -> String {
        format!("token {}", self.name)
    }
}

/// Why there is no token, or why it lets nobody in.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The end cannot be read, is over, or is too far away.
    #[error("a token ends at a date or time to come, within {} days", TOKEN_HOLDS_MAX.as_hours() / 24)]
    Expiry,
    /// The name cannot be one.
    #[error(transparent)]
    Name(#[from] FieldError),
    /// Another token of the workspace has the name.
    #[error("there is already a token called {name:?}")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A token without a scope could do nothing.
    #[error("a token needs a scope")]
    NoScope,
    /// There is no such token in the workspace.
    #[error("there is no token {name:?}")]
    NotFound {
        /// What was asked for.
        name: String,
    },
    /// The system gave no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// This program could not do its own job.
    #[error("tokens could not be read or written")]
    Store(#[from] StoreError),
    /// Too many wrong tokens.
    #[error("too many wrong tokens; wait {} seconds", again_in.as_secs() + 1)]
    TooMany {
        /// Until the next one.
        again_in: Duration,
    },
    /// It never was, it ended, or it was revoked; nobody is told which.
    #[error("this token lets nobody in")]
    Wrong,
}

impl TokenError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Expiry => "such as 2027-01-31, 30d, or never".to_owned(),
            Self::NameTaken { .. } => "choose another name, or revoke that token first".to_owned(),
            Self::NoScope => format!("scopes: {}", Scope::words()),
            Self::NotFound { .. } => "waxseal token list shows all".to_owned(),
            Self::Store(error) => return crate::store::store_hint(error),
            Self::Wrong => "make one with: waxseal token create".to_owned(),
            Self::Name(_) | Self::NoRandomness(_) | Self::TooMany { .. } => return None,
        };
        Some(text)
    }
}

/// The tokens of an installation.
#[derive(Clone, Debug)]
pub struct Tokens {
    store: Store,
    wrong: Arc<Budget>,
}

impl Tokens {
    /// The tokens of a store.
    pub fn new(store: Store) -> Self {
        let wrong = Arc::new(Budget::new(WRONG_TOKENS_PER_CLIENT, WRONG_TOKENS_PERIOD));
        Self { store, wrong }
    }

    /// Makes a token for the workspace of `data`.
    ///
    /// # Errors
    /// [`TokenError`]; then there is no new token.
    pub async fn create(
        &self,
        data: &Data,
        wanted: &NewToken,
        who: &str,
        now: Timestamp,
    ) -> Result<Created, TokenError> {
        let name = OneLine::parse("name", &wanted.name)?.to_string();
        if wanted.scopes.is_empty() {
            return Err(TokenError::NoScope);
        }
        let text = TokenText::new()?;
        let token = ApiToken {
            id: ApiTokenId::new(now)?,
            workspace: data.workspace(),
            name: name.clone(),
            scopes: wanted.scopes.words().into_iter().map(str::to_owned).collect(),
            created_by: who.to_owned(),
            created_at: now,
            expires_at: match wanted.expires {
                Expiry::At(at) => Some(at),
                Expiry::Default => Some(now + TOKEN_HOLDS),
                Expiry::Never => None,
            },
            last_used_at: None,
        };
        match self.store.add_api_token(&token, TokenHash::of(text.expose())).await {
            Err(StoreError::NameTaken { .. }) => return Err(TokenError::NameTaken { name }),
            other => other?,
        }
        audit::note(data, who, "token.created", &token.name, now).await?;
        Ok(Created { text, token: TokenView::of(&token, now) })
    }

    /// The tokens of the workspace, by name; those that ended are among them.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn list(&self, data: &Data, now: Timestamp) -> Result<Vec<TokenView>, TokenError> {
        let found = self.store.api_tokens(data.workspace()).await?;
        Ok(found.iter().map(|token| TokenView::of(token, now)).collect())
    }

    /// Revokes a token by its name or identifier: from now on it lets nobody in. Gives back what it was.
    ///
    /// # Errors
    /// [`TokenError::NotFound`], and the others.
    pub async fn revoke(
        &self,
        data: &Data,
        name: &str,
        who: &str,
        now: Timestamp,
    ) -> Result<TokenView, TokenError> {
        let found = self.store.api_tokens(data.workspace()).await?;
        let missing = || TokenError::NotFound { name: name.to_owned() };
        let by_name = found.iter().find(|token| token.name == name.trim());
        let by_id = || found.iter().find(|token| token.id.to_string() == name);
        let token = by_name.or_else(by_id).ok_or_else(missing)?;
        match self.store.remove_api_token(data.workspace(), token.id).await {
            Err(StoreError::NotFound { .. }) => return Err(missing()),
            other => other?,
        }
        audit::note(data, who, "token.revoked", &token.name, now).await?;
        Ok(TokenView::of(token, now))
    }

    /// Who shows a token. A wrong one counts against the client; a right one always comes in.
    ///
    /// # Errors
    /// [`TokenError::Wrong`] for whatever lets nobody in, [`TokenError::TooMany`] after many of those.
    pub async fn authenticate(
        &self,
        shown: &str,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<Bearer, TokenError> {
        let held = if shown.starts_with(TOKEN_PREFIX) {
            self.store.api_token(TokenHash::of(shown), now).await?
        } else {
            None
        };
        let Some(HeldToken { token, workspace_name }) = held else {
            self.wrong.take(client).map_err(|again_in| TokenError::TooMany { again_in })?;
            return Err(TokenError::Wrong);
        };
        let is_noted = |at: Timestamp| now.duration_since(at) < TOKEN_USE_NOTED_EVERY;
        if !token.last_used_at.is_some_and(is_noted) {
            self.store.note_api_token_use(token.workspace, token.id, now).await?;
        }
        Ok(Bearer {
            id: token.id,
            name: token.name,
            workspace: token.workspace,
            workspace_name,
            scopes: Scopes::of_words(token.scopes.iter().map(String::as_str)),
            expires_at: token.expires_at,
            answers: AnswerKey::of(shown),
        })
    }

    /// Drops kept answers and links to secrets whose time is over.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn tidy(&self, now: Timestamp) -> Result<u64, TokenError> {
        let answers = self.store.drop_ended_answers(now).await?;
        Ok(answers + self.store.drop_ended_secret_links(now).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_day_a_time_or_never() {
        let now: Timestamp = "2026-05-01T10:00:00Z".parse().unwrap();
        let at = |text: &str| Some(Expiry::At(text.parse().unwrap()));
        for (text, read) in [
            ("never", Some(Expiry::Never)),
            ("2026-05-01", at("2026-05-02T00:00:00Z")),
            (" 30d ", at("2026-05-31T10:00:00Z")),
            ("2026-05-01T10:00:01Z", at("2026-05-01T10:00:01Z")),
            ("2026-05-01T10:00:00Z", None),
            ("2026-04-30", None),
            ("0d", None),
            ("-1d", None),
            ("9223372036854775807d", None),
            ("2036-01-01", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(Expiry::parse(text, now).ok(), read, "{text:?}");
        }
    }

    #[test]
    fn a_token_is_recognisable_and_not_shown() {
        let text = TokenText::new().unwrap();
        assert!(text.expose().starts_with("wxs_") && text.expose().len() == 28);
        assert_eq!(format!("{text:?}"), "TokenText(..)");
    }
}
