-- What those hear of an event who follow a thing of their own and no restaurant: the things that it
-- concerns, those that it concerned until then and does no more, and the frame for the first. (What
-- the others hear follows from the rest of the row.) All are null in most events.
ALTER TABLE events
    ADD COLUMN own_roots uuid[],
    ADD COLUMN left_roots uuid[],
    ADD COLUMN own_frame text;
ALTER TABLE events ADD CONSTRAINT events_own_frame_check
    CHECK ((own_roots IS NULL) = (own_frame IS NULL)) NOT VALID;

-- Of the secret with which somebody without an account follows a party, or a booking, by itself;
-- the secret is kept nowhere. Without one, nobody does.
ALTER TABLE guests ADD COLUMN secret_hash bytea;
ALTER TABLE reservations ADD COLUMN secret_hash bytea;
