DROP TABLE events;
DROP TABLE log_heads;
DROP TABLE database_identity;
