DROP TABLE client_operations;
