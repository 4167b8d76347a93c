ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_entity_check;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_entity_check CHECK (
    entity IN (
        'guest', 'table', 'reservation', 'restaurant', 'user', 'person', 'dish', 'category',
        'invitation'
    )
);
