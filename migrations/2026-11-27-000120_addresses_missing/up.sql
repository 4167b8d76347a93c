-- Those that the program has still to look at.
CREATE INDEX CONCURRENTLY users_without_key ON users (id) WHERE email_key IS NULL;
