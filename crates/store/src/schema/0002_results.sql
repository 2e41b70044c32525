-- Links to reports that anybody may open who knows the address. Only hashes of the secrets are kept
-- (SHA-256, as hex).

CREATE TABLE result_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    owner_hash TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    check_id TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    FOREIGN KEY (workspace_id, check_id) REFERENCES checks (workspace_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX result_links_of_check ON result_links (workspace_id, check_id);
CREATE INDEX result_links_by_end ON result_links (expires_at_us);
