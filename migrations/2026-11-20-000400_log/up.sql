-- The event log: one sequence per restaurant, advanced as the last lock of a transaction.

-- Which database this is. A row that no longer fits (restored elsewhere, promoted, rewound) gives
-- every restaurant's log a new epoch.
CREATE TABLE database_identity (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    identity text NOT NULL
);

-- The rows are updated once per transaction: leave room for updates in place.
CREATE TABLE log_heads (
    restaurant_id uuid PRIMARY KEY REFERENCES restaurants (id) ON DELETE CASCADE,
    epoch uuid NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= pruned_seq),
    -- Events up to this one are gone.
    pruned_seq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE events (
    restaurant_id uuid NOT NULL REFERENCES log_heads (restaurant_id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    kind text NOT NULL,
    entity_id uuid NOT NULL,
    audience text NOT NULL CHECK (audience IN ('staff', 'public')),
    -- The bytes that clients get, live and on replay.
    frame text NOT NULL,
    public_frame text CHECK ((public_frame IS NOT NULL) = (audience = 'public')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (restaurant_id, seq)
);
CREATE INDEX events_entity ON events (restaurant_id, entity_id, seq);
-- Pruning looks for the oldest.
CREATE INDEX events_created ON events USING brin (created_at);
