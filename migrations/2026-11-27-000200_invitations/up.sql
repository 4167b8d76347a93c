-- Invitations: a role in a restaurant for whoever opens the link, accepts, and is confirmed. Address
-- and names are notes of whoever invited: nothing is looked up by them, and nothing is bound to them.
CREATE TABLE invitations (
    restaurant_id uuid NOT NULL REFERENCES restaurants (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'staff')),
    email text,
    first_name text,
    last_name text,
    -- Of the secret in the link, which is kept nowhere.
    secret_hash bytea NOT NULL,
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    -- Until when it is accepted; once it is, until when it is confirmed.
    expires_at timestamptz NOT NULL,
    accepted_by uuid REFERENCES users (id) ON DELETE CASCADE,
    -- The account's version then: one whose password somebody has set since has to accept again.
    accepted_version integer,
    accepted_at timestamptz,
    confirmed_at timestamptz,
    withdrawn_at timestamptz,
    PRIMARY KEY (restaurant_id, id),
    CHECK (num_nulls(accepted_by, accepted_version, accepted_at) IN (0, 3)),
    -- Nobody is made a member without having accepted.
    CHECK (confirmed_at IS NULL OR (accepted_by IS NOT NULL AND withdrawn_at IS NULL))
);
CREATE INDEX invitations_created_by ON invitations (created_by);
CREATE INDEX invitations_accepted_by ON invitations (accepted_by);
CREATE INDEX invitations_expiry ON invitations (expires_at);

-- Links with which a member sets a new password, once. A member has one at most, and it goes with
-- the membership.
CREATE TABLE password_resets (
    restaurant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_by uuid REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (restaurant_id, user_id),
    CONSTRAINT password_resets_member_fkey FOREIGN KEY (restaurant_id, user_id)
        REFERENCES memberships (restaurant_id, user_id) ON DELETE CASCADE
);
-- Any new password of the account ends it.
CREATE INDEX password_resets_user ON password_resets (user_id);
CREATE INDEX password_resets_created_by ON password_resets (created_by);
CREATE INDEX password_resets_expiry ON password_resets (expires_at);

-- The audit tells of these, too.
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_entity_check;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_entity_check CHECK (
    entity IN (
        'guest', 'table', 'reservation', 'restaurant', 'user', 'person', 'dish', 'category',
        'invitation'
    )
);
