-- Which devices follow which restaurant at which worker, now. Nothing here outlives its worker, and
-- all of it is written anew when it is lost; so it is kept out of the write-ahead log.
CREATE UNLOGGED TABLE presence_workers (
    -- Drawn by the worker, and drawn again when it finds that this row is not as it left it.
    id uuid PRIMARY KEY,
    -- Counts what the worker has told, so that a rewound database is noticed.
    revision bigint NOT NULL,
    -- By the database's clock. A worker that has been silent for some seconds is dead.
    seen_at timestamptz NOT NULL
);

-- Without references to restaurants and devices: they would lock rows that the floor locks for
-- writing. Who reads joins, and what has nothing to join with is not there.
CREATE UNLOGGED TABLE presence (
    restaurant_id uuid NOT NULL,
    worker_id uuid NOT NULL REFERENCES presence_workers (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    connections integer NOT NULL CHECK (connections > 0),
    since timestamptz NOT NULL,
    PRIMARY KEY (restaurant_id, worker_id, session_id)
);
CREATE INDEX presence_worker ON presence (worker_id);
