-- Who changed what: written by the statement that appends the event, and never changed after.
CREATE TABLE audit_entries (
    restaurant_id uuid NOT NULL REFERENCES log_heads (restaurant_id) ON DELETE CASCADE,
    -- When the transaction began.
    created_at timestamptz NOT NULL,
    -- The event that told of it; where none did, the last one before it.
    seq bigint NOT NULL,
    -- 0 for the event's own entry, 1 and more for what no event tells of.
    n smallint NOT NULL DEFAULT 0 CHECK (n >= 0),
    entity text NOT NULL CHECK (
        entity IN ('guest', 'table', 'reservation', 'restaurant', 'user', 'person')
    ),
    entity_id uuid NOT NULL,
    action text NOT NULL,
    -- The fields that changed, as they were and as they are; all of them of what is new or gone.
    before jsonb,
    after jsonb,
    -- No references: an entry outlives accounts and logins, and costs a write no further locks.
    actor_id uuid,
    session_id uuid,
    device_name text,
    request_id text CHECK (char_length(request_id) BETWEEN 1 AND 64),
    transaction_id uuid,
    -- In the order in which it is read.
    PRIMARY KEY (restaurant_id, created_at, seq, n)
);
CREATE INDEX audit_entries_entity ON audit_entries (restaurant_id, entity_id, created_at, seq, n);
CREATE INDEX audit_entries_kind ON audit_entries (restaurant_id, entity, created_at, seq, n);
CREATE INDEX audit_entries_actor ON audit_entries (restaurant_id, actor_id, created_at, seq, n);
-- Forgetting looks for the oldest.
CREATE INDEX audit_entries_created ON audit_entries USING brin (created_at);

-- Append-only, whatever the program does. The two who may touch it say so in their transaction:
-- an erasure, which takes values out and nothing else, and the retention. A restaurant that is
-- removed takes its audit with it.
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    purpose text := current_setting('qtable.audit', true);
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF purpose = 'erasure'
            AND to_jsonb(NEW) - '{before,after}'::text[] = to_jsonb(OLD) - '{before,after}'::text[]
        THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF purpose = 'retention'
            OR NOT EXISTS (SELECT FROM log_heads WHERE restaurant_id = OLD.restaurant_id)
        THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- Whose data they are: a person is found by telephone number (guests_phone has the other) and
-- address. None of these columns changes in a service, so updates stay in place.
CREATE INDEX guests_email ON guests (restaurant_id, lower(email)) WHERE email IS NOT NULL;
CREATE INDEX reservations_phone
    ON reservations (restaurant_id, regexp_replace(guest_phone, '[^0-9]', '', 'g'))
    WHERE guest_phone IS NOT NULL;
CREATE INDEX reservations_email
    ON reservations (restaurant_id, lower(guest_email)) WHERE guest_email IS NOT NULL;
