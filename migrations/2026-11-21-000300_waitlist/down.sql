ALTER TABLE reservation_tables DROP COLUMN shown, DROP COLUMN due_at;
ALTER TABLE guests
    DROP CONSTRAINT guests_quote_range,
    DROP COLUMN due_at,
    DROP COLUMN quote_error_minutes,
    DROP COLUMN waited_minutes,
    DROP COLUMN notified_until,
    DROP COLUMN notified_at,
    DROP COLUMN over_quote,
    DROP COLUMN quoted_high_minutes,
    DROP COLUMN quoted_low_minutes,
    DROP COLUMN queue_time;
