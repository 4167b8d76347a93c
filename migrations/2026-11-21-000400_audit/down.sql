DROP INDEX reservations_email;
DROP INDEX reservations_phone;
DROP INDEX guests_email;
DROP TABLE audit_entries;
DROP FUNCTION audit_is_append_only;
