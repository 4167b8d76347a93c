ALTER TABLE reservations DROP COLUMN secret_hash;
ALTER TABLE guests DROP COLUMN secret_hash;
ALTER TABLE events DROP COLUMN own_frame, DROP COLUMN left_roots, DROP COLUMN own_roots;
