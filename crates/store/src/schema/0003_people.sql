-- People, their sessions, one-time links, and who changed what. Secrets are kept as hashes only: passwords as
-- argon2id, tokens as SHA-256 in hex.

CREATE TABLE users (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'sender', 'viewer')),
    password_hash TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;

-- One name signs in to one workspace.
CREATE UNIQUE INDEX users_by_name ON users (name);

CREATE TABLE user_sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    form_token TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX user_sessions_of_user ON user_sessions (workspace_id, user_id);

-- Links by which somebody comes in once: to set up, by invitation, or with a forgotten password.
CREATE TABLE entry_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'sender', 'viewer')),
    user_id TEXT,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE audit_log (
    number INTEGER NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    at_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;

CREATE INDEX audit_log_newest ON audit_log (workspace_id, number DESC);
