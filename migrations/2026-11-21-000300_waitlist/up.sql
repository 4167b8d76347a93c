-- The waiting list: where a party stands, what it was told, and when time changes it.
ALTER TABLE guests
    -- Where the party was put by hand: as if it had come then. Null: where its coming puts it.
    ADD COLUMN queue_time timestamptz,
    -- What the house would have said when the party came.
    ADD COLUMN quoted_low_minutes integer CHECK (quoted_low_minutes BETWEEN 0 AND 1440),
    ADD COLUMN quoted_high_minutes integer,
    ADD COLUMN over_quote boolean NOT NULL DEFAULT false,
    -- When the party was told that its table is ready, and until when it is expected.
    ADD COLUMN notified_at timestamptz,
    ADD COLUMN notified_until timestamptz CHECK (notified_until IS NULL OR status = 'notified'),
    -- What became of the quote.
    ADD COLUMN waited_minutes integer CHECK (waited_minutes >= 0),
    ADD COLUMN quote_error_minutes integer,
    -- The next moment at which time changes this party. Those who wait have one, or none.
    ADD COLUMN due_at timestamptz CHECK (due_at IS NULL OR status IN ('waiting', 'notified')),
    ADD CONSTRAINT guests_quote_range CHECK (
        quoted_high_minutes BETWEEN quoted_low_minutes AND 1440
        AND num_nonnulls(quoted_low_minutes, quoted_high_minutes) <> 1
    );
UPDATE guests SET due_at = check_in_time + make_interval(mins => greatest(quoted_wait_minutes, 5))
WHERE status IN ('waiting', 'notified') AND quoted_wait_minutes IS NOT NULL;
-- Empty but for those who wait: to look for who is due costs one page.
CREATE INDEX guests_due ON guests (due_at) WHERE due_at IS NOT NULL;
-- How well quotes were kept lately.
CREATE INDEX guests_quotes ON guests (restaurant_id, seated_time)
    WHERE quote_error_minutes IS NOT NULL;

-- Tables that are shown as reserved some time before a booking.
ALTER TABLE reservation_tables
    -- When the table is to be shown as reserved; once it is, when that ends. Null: not at all.
    ADD COLUMN due_at timestamptz,
    -- Whether the time has come in which the table is shown as reserved while it is free.
    ADD COLUMN shown boolean NOT NULL DEFAULT false;
UPDATE reservation_tables SET due_at = lower(period) - interval '15 minutes'
WHERE reservation_id IS NOT NULL AND upper(period) > now();
CREATE INDEX reservation_tables_due ON reservation_tables (due_at) WHERE due_at IS NOT NULL;
