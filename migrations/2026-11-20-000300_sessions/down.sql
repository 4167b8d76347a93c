DROP TABLE socket_tickets;
DROP TABLE device_sessions;
