-- The first schema. Times are microseconds since 1970 in UTC (`_us`); identifiers are UUIDs version 7 as
-- text. Every table of content begins with the workspace it belongs to.

CREATE TABLE workspaces (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at_us INTEGER NOT NULL
) STRICT;

-- The master keys that envelopes may name; the keys themselves are never in the database. They belong to
-- the installation, so there is no workspace.
CREATE TABLE master_keys (
    id TEXT NOT NULL PRIMARY KEY,
    known_since_us INTEGER NOT NULL
) STRICT;

CREATE TABLE connections (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'smtp')),
    from_name TEXT,
    from_address TEXT NOT NULL,
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('untested', 'passing', 'failing')),
    revision INTEGER NOT NULL CHECK (revision > 0),
    created_at_us INTEGER NOT NULL,
    changed_at_us INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name),
    -- Mode none never signs in, whatever writes the row.
    CHECK (
        kind <> 'smtp'
        OR (json_extract(settings, '$.mode') IS NOT NULL
            AND json_extract(settings, '$.mode') IN ('starttls', 'tls'))
        OR (json_extract(settings, '$.mode') IS NOT NULL
            AND json_extract(settings, '$.mode') = 'none'
            AND json_extract(settings, '$.sign_in') IS NULL)
    )
) STRICT;

-- At most one sealed secret for a connection. Its own table, so that reading connections never reads it.
CREATE TABLE connection_secrets (
    workspace_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES master_keys (id),
    envelope TEXT NOT NULL,
    changed_at_us INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, connection_id),
    FOREIGN KEY (workspace_id, connection_id)
        REFERENCES connections (workspace_id, id) ON DELETE CASCADE
) STRICT;

-- Tests and verifications, the newest of which a connection shows.
CREATE TABLE connection_trials (
    workspace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('test', 'verify')),
    revision INTEGER NOT NULL,
    started_at_us INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'rejected', 'failed', 'unknown')),
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, connection_id)
        REFERENCES connections (workspace_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX connection_trials_newest
    ON connection_trials (workspace_id, connection_id, kind, started_at_us DESC, id DESC);

-- The tests that were begun, written before anything is sent: they pace the tests of a connection, and a
-- test that is asked for again by the same key is not sent again.
CREATE TABLE connection_test_starts (
    workspace_id TEXT NOT NULL,
    trial_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    idempotency_key TEXT,
    started_at_us INTEGER NOT NULL,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    PRIMARY KEY (workspace_id, trial_id),
    UNIQUE (workspace_id, connection_id, idempotency_key),
    FOREIGN KEY (workspace_id, connection_id)
        REFERENCES connections (workspace_id, id) ON DELETE CASCADE
) STRICT;

-- What uses a connection; as long as there is a row, the connection cannot be deleted.
CREATE TABLE connection_holds (
    workspace_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    holder_kind TEXT NOT NULL,
    holder_id TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, holder_kind, holder_id),
    FOREIGN KEY (workspace_id, connection_id)
        REFERENCES connections (workspace_id, id) ON DELETE RESTRICT
) STRICT;

CREATE TABLE checks (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    target TEXT NOT NULL,
    checked_at_us INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    report TEXT NOT NULL CHECK (json_valid(report)),
    PRIMARY KEY (workspace_id, id)
) STRICT;

CREATE INDEX checks_newest ON checks (workspace_id, target, checked_at_us DESC, id DESC);
CREATE INDEX checks_by_age ON checks (workspace_id, checked_at_us);
