-- A database made before the first schema had this table never got it: no test could be noted there.

CREATE TABLE IF NOT EXISTS connection_test_starts (
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
