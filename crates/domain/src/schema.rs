//! The tables, as `information_schema` has them; `tests/it/schema/rendering.rs` compares.

diesel::table! {
    audit_entries (restaurant_id, created_at, seq, n) {
        restaurant_id -> Uuid,
        created_at -> Timestamptz,
        seq -> Int8,
        n -> Int2,
        entity -> Text,
        entity_id -> Uuid,
        action -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        actor_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        device_name -> Nullable<Text>,
        request_id -> Nullable<Text>,
        transaction_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    client_operations (restaurant_id, kind, key) {
        restaurant_id -> Uuid,
        kind -> Text,
        key -> Text,
        body_hash -> Bytea,
        result -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    database_identity (singleton) {
        singleton -> Bool,
        identity -> Text,
    }
}

diesel::table! {
    device_sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        restaurant_id -> Nullable<Uuid>,
        device_name -> Nullable<Text>,
        family_hash -> Bytea,
        current_hash -> Bytea,
        previous_hash -> Nullable<Bytea>,
        successor_seed -> Nullable<Bytea>,
        rotated_at -> Timestamptz,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    dishes (restaurant_id, dish_id) {
        restaurant_id -> Uuid,
        dish_id -> Int8,
        dish_name -> Text,
        description -> Nullable<Text>,
        image_url -> Nullable<Text>,
        price_minor -> Int8,
        currency -> Text,
        is_published -> Bool,
        availability -> Text,
        quantity_left -> Nullable<Int4>,
        sold_out_until -> Nullable<Timestamptz>,
        category_id -> Nullable<Uuid>,
        modifier_groups -> Jsonb,
        dietary -> Array<Text>,
        allergens -> Array<Text>,
        station -> Nullable<Text>,
        preparation_minutes -> Nullable<Int4>,
        position -> Int4,
        created_at -> Timestamptz,
        #[sql_name = "updated_at"]
        last_updated -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    events (restaurant_id, seq) {
        restaurant_id -> Uuid,
        seq -> Int8,
        kind -> Text,
        entity_id -> Uuid,
        audience -> Text,
        frame -> Text,
        public_frame -> Nullable<Text>,
        created_at -> Timestamptz,
        own_roots -> Nullable<Array<Uuid>>,
        left_roots -> Nullable<Array<Uuid>>,
        own_frame -> Nullable<Text>,
    }
}

diesel::table! {
    guests (restaurant_id, id) {
        restaurant_id -> Uuid,
        id -> Uuid,
        guest_name -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        party_size -> Int4,
        status -> Text,
        wait_position -> Nullable<Int4>,
        phone -> Nullable<Text>,
        phone_digits -> Nullable<Text>,
        email -> Nullable<Text>,
        notes -> Nullable<Text>,
        special_requests -> Nullable<Text>,
        dietary_restrictions -> Array<Text>,
        tags -> Array<Text>,
        quoted_wait_minutes -> Nullable<Int4>,
        reservation_id -> Nullable<Uuid>,
        total_visits -> Int4,
        check_in_time -> Timestamptz,
        seated_time -> Nullable<Timestamptz>,
        finished_time -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        last_updated -> Timestamptz,
        version -> Int4,
        search -> Text,
        queue_time -> Nullable<Timestamptz>,
        quoted_low_minutes -> Nullable<Int4>,
        quoted_high_minutes -> Nullable<Int4>,
        over_quote -> Bool,
        notified_at -> Nullable<Timestamptz>,
        notified_until -> Nullable<Timestamptz>,
        waited_minutes -> Nullable<Int4>,
        quote_error_minutes -> Nullable<Int4>,
        due_at -> Nullable<Timestamptz>,
        secret_hash -> Nullable<Bytea>,
    }
}

diesel::table! {
    holds (restaurant_id, id) {
        restaurant_id -> Uuid,
        id -> Uuid,
        party_size -> Int4,
        reservation_time -> Timestamptz,
        duration_minutes -> Int4,
        table_ids -> Array<Uuid>,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    invitations (restaurant_id, id) {
        restaurant_id -> Uuid,
        id -> Uuid,
        role -> Text,
        email -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        secret_hash -> Bytea,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        accepted_by -> Nullable<Uuid>,
        accepted_version -> Nullable<Int4>,
        accepted_at -> Nullable<Timestamptz>,
        confirmed_at -> Nullable<Timestamptz>,
        withdrawn_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    log_heads (restaurant_id) {
        restaurant_id -> Uuid,
        epoch -> Uuid,
        last_seq -> Int8,
        pruned_seq -> Int8,
        topic_seqs -> Array<Int8>,
        topics_upto -> Int8,
    }
}

diesel::table! {
    memberships (restaurant_id, user_id) {
        restaurant_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        is_active -> Bool,
        created_at -> Timestamptz,
        last_updated -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    menu_categories (restaurant_id, id) {
        restaurant_id -> Uuid,
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        position -> Int4,
        windows -> Jsonb,
        is_active -> Bool,
        created_at -> Timestamptz,
        #[sql_name = "updated_at"]
        last_updated -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    password_resets (restaurant_id, user_id) {
        restaurant_id -> Uuid,
        user_id -> Uuid,
        secret_hash -> Bytea,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    presence (restaurant_id, worker_id, session_id) {
        restaurant_id -> Uuid,
        worker_id -> Uuid,
        session_id -> Uuid,
        connections -> Int4,
        since -> Timestamptz,
    }
}

diesel::table! {
    presence_workers (id) {
        id -> Uuid,
        revision -> Int8,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    primary_beat (singleton) {
        singleton -> Bool,
        beaten_at -> Timestamptz,
    }
}

diesel::table! {
    reservation_tables (restaurant_id, table_id, period) {
        restaurant_id -> Uuid,
        table_id -> Uuid,
        period -> Tstzrange,
        reservation_id -> Nullable<Uuid>,
        hold_id -> Nullable<Uuid>,
        due_at -> Nullable<Timestamptz>,
        shown -> Bool,
    }
}

diesel::table! {
    reservations (restaurant_id, id) {
        restaurant_id -> Uuid,
        id -> Uuid,
        guest_name -> Text,
        guest_phone -> Nullable<Text>,
        guest_email -> Nullable<Text>,
        party_size -> Int4,
        reservation_time -> Timestamptz,
        duration_minutes -> Int4,
        status -> Text,
        source -> Text,
        table_ids -> Array<Uuid>,
        guest_id -> Nullable<Uuid>,
        notes -> Nullable<Text>,
        special_requests -> Nullable<Text>,
        created_at -> Timestamptz,
        last_updated -> Timestamptz,
        version -> Int4,
        secret_hash -> Nullable<Bytea>,
    }
}

diesel::table! {
    restaurants (id) {
        id -> Uuid,
        name -> Text,
        slug -> Text,
        time_zone -> Text,
        settings -> Jsonb,
        created_at -> Timestamptz,
        last_updated -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    seatings (restaurant_id, table_id) {
        restaurant_id -> Uuid,
        table_id -> Uuid,
        guest_id -> Uuid,
        ordinal -> Int2,
    }
}

diesel::table! {
    socket_tickets (hash) {
        hash -> Bytea,
        session_id -> Uuid,
        credential_expires_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    tables (restaurant_id, id) {
        restaurant_id -> Uuid,
        id -> Uuid,
        table_number -> Text,
        capacity -> Int4,
        min_party_size -> Int4,
        status -> Text,
        position_x -> Float8,
        position_y -> Float8,
        shape -> Text,
        section -> Nullable<Text>,
        is_active -> Bool,
        created_at -> Timestamptz,
        last_updated -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        email -> Text,
        password_hash -> Text,
        first_name -> Text,
        last_name -> Text,
        is_admin -> Bool,
        home_restaurant_id -> Nullable<Uuid>,
        auth_version -> Int4,
        created_at -> Timestamptz,
        last_updated -> Timestamptz,
        email_key -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    audit_entries,
    client_operations,
    database_identity,
    device_sessions,
    dishes,
    events,
    guests,
    holds,
    invitations,
    log_heads,
    memberships,
    menu_categories,
    password_resets,
    presence,
    presence_workers,
    primary_beat,
    reservation_tables,
    reservations,
    restaurants,
    seatings,
    socket_tickets,
    tables,
    users,
);
