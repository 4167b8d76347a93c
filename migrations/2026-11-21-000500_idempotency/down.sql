DROP INDEX client_operations_created;
CREATE INDEX client_operations_created ON client_operations (created_at);
DELETE FROM client_operations WHERE kind = 'http';
ALTER TABLE client_operations
    DROP CONSTRAINT client_operations_kind_check,
    ADD CONSTRAINT client_operations_kind_check CHECK (kind IN ('atomic', 'sync'));
