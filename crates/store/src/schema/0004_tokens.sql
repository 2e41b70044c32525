-- What programs show to be let in, the answers that are repeated for them, and links by which a person enters
-- one secret. Tokens and keys are kept as SHA-256 in hex; an answer is sealed by the token it was given to.

CREATE TABLE api_tokens (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    -- Words with a space between them.
    scopes TEXT NOT NULL CHECK (scopes <> ''),
    created_by TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER,
    last_used_at_us INTEGER,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name)
) STRICT;

-- A request with a key: under way as long as there is no status.
CREATE TABLE idempotency_keys (
    workspace_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER CHECK (status BETWEEN 200 AND 599),
    answer TEXT,
    began_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, token_id, key_hash),
    CHECK ((status IS NULL) = (answer IS NULL)),
    FOREIGN KEY (workspace_id, token_id) REFERENCES api_tokens (workspace_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at_us);

CREATE TABLE secret_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    FOREIGN KEY (workspace_id, connection_id)
        REFERENCES connections (workspace_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX secret_links_by_end ON secret_links (expires_at_us);
CREATE INDEX secret_links_of_connection ON secret_links (workspace_id, connection_id);
