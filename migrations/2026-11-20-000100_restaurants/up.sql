-- Restaurants: the tenants. Every table that belongs to one has restaurant_id first in its key.
CREATE TABLE restaurants (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 80),
    time_zone text NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    last_updated timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1
);
