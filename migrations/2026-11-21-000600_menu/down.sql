DELETE FROM audit_entries WHERE entity IN ('dish', 'category');
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_entity_check;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_entity_check CHECK (
    entity IN ('guest', 'table', 'reservation', 'restaurant', 'user', 'person')
);
DROP TABLE dishes;
DROP TABLE menu_categories;
