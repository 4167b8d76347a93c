CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Parties that are here or waiting, and those that were.
CREATE TABLE guests (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    guest_name text NOT NULL CHECK (char_length(guest_name) BETWEEN 1 AND 200),
    first_name text,
    last_name text,
    party_size integer NOT NULL CHECK (party_size BETWEEN 1 AND 100),
    status text NOT NULL CHECK (
        status IN ('waiting', 'notified', 'seated', 'completed', 'cancelled', 'no_show')
    ),
    wait_position integer CHECK ((wait_position IS NOT NULL) = (status IN ('waiting', 'notified'))),
    phone text,
    -- What is searched and counted by: the same number is written in many ways.
    phone_digits text GENERATED ALWAYS AS (nullif(regexp_replace(phone, '[^0-9]', '', 'g'), '')) STORED,
    email text,
    notes text,
    special_requests text,
    dietary_restrictions text[] NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    quoted_wait_minutes integer CHECK (quoted_wait_minutes BETWEEN 0 AND 1440),
    reservation_id uuid,
    total_visits integer NOT NULL DEFAULT 1,
    check_in_time timestamptz NOT NULL,
    seated_time timestamptz,
    finished_time timestamptz CHECK (
        (finished_time IS NOT NULL) = (status IN ('completed', 'cancelled', 'no_show'))
    ),
    created_at timestamptz NOT NULL,
    last_updated timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    search text NOT NULL GENERATED ALWAYS AS (
        lower(guest_name) || ' ' || lower(coalesce(first_name, '')) || ' '
        || lower(coalesce(last_name, '')) || ' ' || coalesce(phone, '') || ' '
        || coalesce(regexp_replace(phone, '[^0-9]', '', 'g'), '')
    ) STORED,
    PRIMARY KEY (restaurant_id, id)
);
-- The floor: those who are here, and those who left since a moment.
CREATE INDEX guests_here ON guests (restaurant_id, id) WHERE finished_time IS NULL;
CREATE INDEX guests_finished ON guests (restaurant_id, finished_time) WHERE finished_time IS NOT NULL;
CREATE INDEX guests_phone ON guests (restaurant_id, phone_digits) WHERE phone_digits IS NOT NULL;
CREATE INDEX guests_search ON guests USING gist (restaurant_id, search gist_trgm_ops (siglen = 64));

-- Who sits where. The key is what makes two parties at one table impossible; a party may hold
-- several tables.
CREATE TABLE seatings (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    table_id uuid NOT NULL,
    guest_id uuid NOT NULL,
    -- The order of a party's tables, 0 first.
    ordinal smallint NOT NULL CHECK (ordinal BETWEEN 0 AND 9),
    PRIMARY KEY (restaurant_id, table_id),
    FOREIGN KEY (restaurant_id, table_id) REFERENCES tables (restaurant_id, id),
    FOREIGN KEY (restaurant_id, guest_id) REFERENCES guests (restaurant_id, id)
);
CREATE UNIQUE INDEX seatings_guest ON seatings (restaurant_id, guest_id, ordinal);
