-- Devices that are logged in. A row is a family of refresh tokens: the current one and, for the
-- minute in which a lost reply may be asked for again, the one before it. Only hashes are kept.
CREATE TABLE device_sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    restaurant_id uuid REFERENCES restaurants (id) ON DELETE CASCADE,
    device_name text,
    -- Of the part of the token that never changes: tells a used token from an invented one.
    family_hash bytea NOT NULL,
    current_hash bytea NOT NULL,
    previous_hash bytea,
    -- With the token before, makes the current one again: a lost reply is answered with it, and
    -- two that ask at once get the same. Without a token it makes nothing.
    successor_seed bytea CHECK ((successor_seed IS NULL) = (previous_hash IS NULL)),
    rotated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX device_sessions_user ON device_sessions (user_id);
CREATE INDEX device_sessions_restaurant ON device_sessions (restaurant_id);
CREATE INDEX device_sessions_expiry ON device_sessions (expires_at);

-- Tickets for sockets, for clients that cannot send a header. In PostgreSQL, so that a ticket of
-- one worker opens a socket on another with or without Redis. A socket takes its ticket away; a
-- stream of server-sent events leaves it, since it comes back with the same address.
CREATE TABLE socket_tickets (
    hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES device_sessions (id) ON DELETE CASCADE,
    -- When the access token with which the ticket was bought expires; what it opens inherits it.
    credential_expires_at timestamptz NOT NULL,
    -- Until when it opens a socket.
    expires_at timestamptz NOT NULL
);
CREATE INDEX socket_tickets_session ON socket_tickets (session_id);
CREATE INDEX socket_tickets_expiry ON socket_tickets (credential_expires_at);
