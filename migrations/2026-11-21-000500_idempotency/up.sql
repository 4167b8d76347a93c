-- Requests under an Idempotency-Key are remembered beside transactions and queues, for a day. Their
-- key is a hash of the user, the route with its ids, and the client's key.
ALTER TABLE client_operations
    DROP CONSTRAINT client_operations_kind_check,
    ADD CONSTRAINT client_operations_kind_check CHECK (kind IN ('atomic', 'http', 'sync'));
-- Each kind is kept for a time of its own.
DROP INDEX client_operations_created;
CREATE INDEX client_operations_created ON client_operations (kind, created_at);
