-- The primary's heartbeat: how old a replica is, also while nothing else is written. Which replica
-- carries it is a replica of this primary: a server that was split off stops hearing it.
CREATE TABLE primary_beat (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    -- By the primary's own clock.
    beaten_at timestamptz NOT NULL
) WITH (fillfactor = 10);
