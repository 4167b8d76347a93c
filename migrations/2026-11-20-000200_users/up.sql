-- Accounts. One may belong to several restaurants, so it is not a tenant's row.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    password_hash text NOT NULL,
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    is_admin boolean NOT NULL DEFAULT false,
    -- The restaurant that made the account, and may give it a new password when its holder has
    -- forgotten it. A restaurant that an account only joined must not: it would take it over.
    home_restaurant_id uuid REFERENCES restaurants (id) ON DELETE SET NULL,
    -- Raised when tokens that are out must not be honoured any more (a new password).
    auth_version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    last_updated timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_home ON users (home_restaurant_id);

CREATE TABLE memberships (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'staff')),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    last_updated timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (restaurant_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);
