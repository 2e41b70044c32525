//! Sessions of agents over HTTP: each belongs to the token that began it, ends when nothing happens in it for a
//! while, and a token has only so many.

use crate::http::{StreamPlace, Streams};
use crate::limits::MCP_SESSION_IDLE;
use axum::http::HeaderValue;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use waxseal_app::tokens::TokenId;

/// Who began which session.
pub(super) struct Sessions {
    manager: Arc<LocalSessionManager>,
    places: Streams<TokenId>,
    begun: Mutex<BTreeMap<String, Opening>>,
}

/// A place for a session of a token.
pub(super) struct Opening {
    token: TokenId,
    _place: StreamPlace<TokenId>,
}

/// What keeps the sessions themselves.
pub(super) fn manager() -> LocalSessionManager {
    let mut manager = LocalSessionManager::default();
    manager.session_config.keep_alive = Some(MCP_SESSION_IDLE);
    manager
}

impl Sessions {
    /// No sessions yet, and so many for each token.
    pub(super) fn new(manager: Arc<LocalSessionManager>, per_token_max: usize) -> Self {
        Self { manager, places: Streams::new(per_token_max), begun: Mutex::default() }
    }

    /// Whether this token began this session.
    pub(super) fn is_of(&self, session: &HeaderValue, token: TokenId) -> bool {
        let Ok(id) = session.to_str() else { return false };
        self.with(|begun| begun.get(id).is_some_and(|opening| opening.token == token))
    }

    /// A place for a new session, unless the token has as many as it may. Those that ended are forgotten first.
    pub(super) async fn begin(&self, token: TokenId) -> Option<Opening> {
        let alive = self.manager.sessions.read().await;
        self.with(|begun| begun.retain(|id, _| alive.contains_key(id.as_str())));
        drop(alive);
        self.places.enter(token).map(|place| Opening { token, _place: place })
    }

    /// The session that took the place.
    pub(super) fn begun(&self, opening: Opening, session: &HeaderValue) {
        if let Ok(id) = session.to_str() {
            self.with(|begun| begun.insert(id.to_owned(), opening));
        }
    }

    /// A session that its agent ended.
    pub(super) fn ended(&self, session: &HeaderValue) {
        if let Ok(id) = session.to_str() {
            self.with(|begun| begun.remove(id));
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<String, Opening>) -> T) -> T {
        look(&mut self.begun.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmcp::transport::streamable_http_server::SessionManager as _;

    #[tokio::test]
    async fn a_session_is_of_one_token_and_gives_its_place_back_when_it_ended() {
        let manager = Arc::new(manager());
        assert_eq!(manager.session_config.keep_alive, Some(MCP_SESSION_IDLE));
        let sessions = Sessions::new(Arc::clone(&manager), 1);
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let one = TokenId::new(at(1)).unwrap();
        let other = TokenId::new(at(2)).unwrap();
        let opening = sessions.begin(one).await.unwrap();
        assert!(sessions.begin(one).await.is_none());
        let (id, _transport) = manager.create_session().await.unwrap();
        let name = HeaderValue::from_str(&id).unwrap();
        assert!(!sessions.is_of(&name, one));
        sessions.begun(opening, &name);
        assert!(sessions.is_of(&name, one) && !sessions.is_of(&name, other));
        assert!(sessions.begin(one).await.is_none());
        assert!(sessions.begin(other).await.is_some());
        // By itself, as one in which nothing happened: the next one that begins finds the place.
        manager.close_session(&id).await.unwrap();
        let opening = sessions.begin(one).await.unwrap();
        assert!(!sessions.is_of(&name, one));
        sessions.begun(opening, &name);
        sessions.ended(&name);
        assert!(sessions.begin(one).await.is_some());
    }
}
