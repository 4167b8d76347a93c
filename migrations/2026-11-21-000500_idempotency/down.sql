DELETE FROM client_operations WHERE kind = 'http';
ALTER TABLE client_operations
    DROP CONSTRAINT client_operations_kind_check,
    ADD CONSTRAINT client_operations_kind_check CHECK (kind IN ('atomic', 'sync'));
