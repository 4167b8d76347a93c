SELECT set_config('qtable.audit', 'retention', true);
DELETE FROM audit_entries WHERE entity = 'invitation';
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_entity_check;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_entity_check CHECK (
    entity IN ('guest', 'table', 'reservation', 'restaurant', 'user', 'person', 'dish', 'category')
);
DROP TABLE password_resets;
DROP TABLE invitations;
