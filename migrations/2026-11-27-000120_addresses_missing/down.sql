DROP INDEX CONCURRENTLY users_without_key;
