CREATE TABLE tables (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    table_number text NOT NULL CHECK (char_length(table_number) BETWEEN 1 AND 20),
    capacity integer NOT NULL CHECK (capacity BETWEEN 1 AND 100),
    min_party_size integer NOT NULL DEFAULT 1 CHECK (min_party_size BETWEEN 1 AND capacity),
    status text NOT NULL CHECK (
        status IN ('available', 'occupied', 'reserved', 'needs_cleaning', 'out_of_service')
    ),
    position_x double precision NOT NULL CHECK (position_x BETWEEN 0 AND 1),
    position_y double precision NOT NULL CHECK (position_y BETWEEN 0 AND 1),
    shape text NOT NULL CHECK (shape IN ('round', 'square', 'rectangle', 'oval')),
    section text CHECK (char_length(section) BETWEEN 1 AND 60),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    last_updated timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (restaurant_id, id)
);
-- Also the order of the list: 2 before 10.
CREATE UNIQUE INDEX tables_number ON tables (restaurant_id, table_number);
CREATE INDEX tables_order ON tables (restaurant_id, char_length(table_number), table_number);
