-- Bookings. Those that are over stay as history.
CREATE TABLE reservations (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    guest_name text NOT NULL CHECK (char_length(guest_name) BETWEEN 1 AND 200),
    guest_phone text,
    guest_email text,
    party_size integer NOT NULL CHECK (party_size BETWEEN 1 AND 100),
    reservation_time timestamptz NOT NULL,
    duration_minutes integer NOT NULL CHECK (duration_minutes BETWEEN 15 AND 1440),
    status text NOT NULL CHECK (
        status IN (
            'pending', 'confirmed', 'arrived', 'partially_arrived', 'running_late', 'seated',
            'completed', 'cancelled', 'no_show'
        )
    ),
    source text NOT NULL CHECK (source IN ('online', 'walk_in', 'phone', 'imported')),
    -- Which tables were booked, in their order. This is what is told and what remains as history,
    -- even of a table that is gone; what is taken, and until when, stands in reservation_tables.
    table_ids uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(table_ids) <= 10),
    guest_id uuid,
    notes text,
    special_requests text,
    created_at timestamptz NOT NULL,
    last_updated timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (restaurant_id, id),
    -- A party that is removed is forgotten here; only this column may become empty.
    FOREIGN KEY (restaurant_id, guest_id) REFERENCES guests (restaurant_id, id)
        ON DELETE SET NULL (guest_id)
);
CREATE INDEX reservations_time ON reservations (restaurant_id, reservation_time, id);
CREATE UNIQUE INDEX reservations_guest ON reservations (restaurant_id, guest_id);

-- The booking from which a party came.
ALTER TABLE guests ADD CONSTRAINT guests_reservation_fkey
    FOREIGN KEY (restaurant_id, reservation_id) REFERENCES reservations (restaurant_id, id);
CREATE UNIQUE INDEX guests_reservation ON guests (restaurant_id, reservation_id);

-- Slots that are kept while somebody fills in a form. A constraint cannot read the clock: whoever
-- books removes those in the way that have expired.
CREATE TABLE holds (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    party_size integer NOT NULL CHECK (party_size BETWEEN 1 AND 100),
    reservation_time timestamptz NOT NULL,
    duration_minutes integer NOT NULL CHECK (duration_minutes BETWEEN 15 AND 1440),
    table_ids uuid[] NOT NULL CHECK (cardinality(table_ids) BETWEEN 1 AND 10),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (restaurant_id, id)
);
CREATE INDEX holds_expiry ON holds (expires_at);

-- Who has which table when. The constraint is what makes two bookings of one table at one time
-- impossible, joined tables and kept slots included. Periods are half-open: where one party's time
-- ends, the next one's may begin.
CREATE TABLE reservation_tables (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    table_id uuid NOT NULL,
    period tstzrange NOT NULL CHECK (
        NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)
        AND lower_inc(period) AND NOT upper_inc(period)
    ),
    reservation_id uuid,
    hold_id uuid,
    PRIMARY KEY (restaurant_id, table_id, period),
    CHECK (num_nonnulls(reservation_id, hold_id) = 1),
    FOREIGN KEY (restaurant_id, table_id) REFERENCES tables (restaurant_id, id),
    FOREIGN KEY (restaurant_id, reservation_id) REFERENCES reservations (restaurant_id, id)
        ON DELETE CASCADE,
    FOREIGN KEY (restaurant_id, hold_id) REFERENCES holds (restaurant_id, id) ON DELETE CASCADE,
    CONSTRAINT reservation_tables_overlap
        EXCLUDE USING gist (restaurant_id WITH =, table_id WITH =, period WITH &&)
);
CREATE INDEX reservation_tables_reservation ON reservation_tables (restaurant_id, reservation_id);
CREATE INDEX reservation_tables_hold ON reservation_tables (restaurant_id, hold_id);
