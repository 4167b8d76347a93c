-- What clients asked for under an id of their own, and what they were answered: a request that is
-- sent again because its reply was lost is answered and not done again. Forgotten after a week.
CREATE TABLE client_operations (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('atomic', 'sync')),
    key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 100),
    -- Tells another request with the same id.
    body_hash bytea NOT NULL CHECK (octet_length(body_hash) = 32),
    -- JSON, as it was sent. Empty only within the transaction that does the work.
    result text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (restaurant_id, kind, key)
);
CREATE INDEX client_operations_created ON client_operations (created_at);
