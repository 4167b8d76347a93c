DROP TABLE reservation_tables;
DROP TABLE holds;
DROP INDEX guests_reservation;
ALTER TABLE guests DROP CONSTRAINT guests_reservation_fkey;
DROP TABLE reservations;
