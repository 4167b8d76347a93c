DROP TABLE seatings;
DROP TABLE guests;
-- The extensions stay: others may use them.
