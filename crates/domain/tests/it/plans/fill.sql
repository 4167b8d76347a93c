-- A platform that has been in use for a while, as of noon on 2026-03-14: 300 busy restaurants, of
-- which the first is large, among 5,000. Ids begin with the time, as the program's do.

-- What the program never writes need not be checked row by row, and no trigger has to run.
SET session_replication_role = replica;
SET work_mem = '64MB';
SET maintenance_work_mem = '256MB';

CREATE FUNCTION pg_temp.noon() RETURNS timestamptz LANGUAGE sql IMMUTABLE
    RETURN timestamptz '2026-03-14 12:00:00+00';
-- The n-th id of a moment. One restaurant, user, table of the same n has the same id everywhere.
CREATE FUNCTION pg_temp.id(n bigint, at timestamptz DEFAULT timestamptz '2025-01-01 00:00:00+00')
    RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000'
        || lpad(to_hex(n), 12, '0'))::uuid;

-- How many tables, guests and so on the n-th restaurant has.
CREATE TEMP TABLE houses AS
SELECT n, pg_temp.id(n) AS id, CASE n WHEN 1 THEN 200 ELSE 20 END AS tables,
    CASE n WHEN 1 THEN 20000 ELSE 100 END AS guests,
    CASE n WHEN 1 THEN 100 ELSE 8 END AS seated,
    CASE n WHEN 1 THEN 40 ELSE 4 END AS waiting,
    CASE n WHEN 1 THEN 50 ELSE 1 END AS bookings_a_day,
    CASE n WHEN 1 THEN 50000 ELSE 500 END AS events,
    CASE n WHEN 1 THEN 20000 ELSE 100 END AS entries,
    CASE n WHEN 1 THEN 500 ELSE 40 END AS dishes
FROM generate_series(1, 300) AS n;

INSERT INTO restaurants (id, name, slug, time_zone, settings, created_at, last_updated)
SELECT id, 'House ' || n, 'house-' || n, 'Europe/Berlin', '{}', pg_temp.noon(), pg_temp.noon()
FROM houses;
-- And many more that have nothing to tell yet.
INSERT INTO restaurants (id, name, slug, time_zone, created_at, last_updated)
SELECT pg_temp.id(n), 'House ' || n, 'house-' || n, 'Europe/Berlin', pg_temp.noon(), pg_temp.noon()
FROM generate_series(301, 5000) AS n;

-- One life of all logs. Events up to a tenth are older than the retention of a week.
INSERT INTO log_heads (restaurant_id, epoch, last_seq)
SELECT id, pg_temp.id(0), events FROM houses
UNION ALL SELECT pg_temp.id(n), pg_temp.id(0), 0 FROM generate_series(301, 5000) AS n;
INSERT INTO events (restaurant_id, seq, kind, entity_id, audience, frame, created_at)
SELECT id, seq, 'guest_updated', pg_temp.id(seq % guests, pg_temp.noon()), 'staff',
    '{"type":"guest_updated","seq":' || seq || ',"data":{"id":"' || pg_temp.id(seq % guests, pg_temp.noon())
    || '","guestName":"Party","phone":"+49 30 ' || seq || '","version":' || seq || '}}',
    pg_temp.noon() - make_interval(secs => (events - seq) * (691200.0 / events))
FROM houses, generate_series(1, events) AS seq ORDER BY seq::float8 / events;
INSERT INTO audit_entries (restaurant_id, created_at, seq, entity, entity_id, action, before, after, actor_id)
SELECT id, pg_temp.noon() - make_interval(mins => (entries - seq) * (525600 / entries)), seq,
    CASE seq % 50 WHEN 0 THEN 'reservation' WHEN 1 THEN 'restaurant' ELSE 'guest' END,
    pg_temp.id(seq % guests, pg_temp.noon()), 'info_updated',
    '{"partySize": 2}', '{"partySize": 3}', pg_temp.id(3 * n - seq % 3)
FROM houses, generate_series(1, entries) AS seq ORDER BY seq::float8 / entries;

-- Three members each, and their devices.
INSERT INTO users (id, email, password_hash, first_name, last_name, home_restaurant_id, created_at, last_updated)
SELECT pg_temp.id(3 * n - m), 'person' || 3 * n - m || '@example.com', 'the hash of a password', 'Ada',
    'Byron', id, pg_temp.noon(), pg_temp.noon()
FROM houses, generate_series(0, 2) AS m;
INSERT INTO users (id, email, password_hash, first_name, last_name, created_at, last_updated)
SELECT pg_temp.id(p), 'person' || p || '@example.com', 'the hash of a password', 'Ada', 'Byron', pg_temp.noon(),
    pg_temp.noon()
FROM generate_series(1001, 15000) AS p;
INSERT INTO memberships (restaurant_id, user_id, role, created_at, last_updated)
SELECT pg_temp.id(301 + p % 4700), pg_temp.id(p), 'staff', pg_temp.noon(), pg_temp.noon()
FROM generate_series(1001, 15000) AS p;
INSERT INTO memberships (restaurant_id, user_id, role, created_at, last_updated)
SELECT id, pg_temp.id(3 * n - m), (ARRAY['owner', 'manager', 'staff'])[m + 1], pg_temp.noon(), pg_temp.noon()
FROM houses, generate_series(0, 2) AS m;
INSERT INTO device_sessions (id, user_id, restaurant_id, device_name, family_hash, current_hash, rotated_at,
    created_at, last_used_at, expires_at)
SELECT pg_temp.id(d), pg_temp.id(3 * n - d % 3), id, 'Tablet ' || d, sha256(d::text::bytea),
    sha256(d::text::bytea), pg_temp.noon(), pg_temp.noon(), pg_temp.noon(),
    pg_temp.noon() + make_interval(hours => d % 700 - 20)
FROM houses JOIN generate_series(1, 9000) AS d ON n = 1 + d % 300;
INSERT INTO socket_tickets (hash, session_id, credential_expires_at, expires_at)
SELECT sha256(t::text::bytea), pg_temp.id(t), pg_temp.noon() + make_interval(secs => t % 900 - 10),
    pg_temp.noon() + make_interval(secs => t % 30)
FROM generate_series(1, 5000) AS t;
-- Whom they invited, and links of those who forgot a password.
INSERT INTO invitations (restaurant_id, id, role, email, secret_hash, created_by, created_at, expires_at)
SELECT id, pg_temp.id(i, pg_temp.noon() - make_interval(hours => i)), 'staff', 'guest' || i || '@example.com',
    sha256(i::text::bytea), pg_temp.id(3 * n), pg_temp.noon() - make_interval(hours => i),
    pg_temp.noon() + make_interval(hours => 168 - i)
FROM houses, generate_series(1, 300) AS i;
INSERT INTO password_resets (restaurant_id, user_id, secret_hash, created_by, created_at, expires_at)
SELECT pg_temp.id(301 + p % 4700), pg_temp.id(p), sha256(p::text::bytea), pg_temp.id(p), pg_temp.noon(),
    pg_temp.noon() + make_interval(mins => p % 1440 - 10)
FROM generate_series(1001, 15000) AS p;
INSERT INTO presence_workers (id, revision, seen_at)
SELECT pg_temp.id(w), 1, now() + interval '1 day' FROM generate_series(1, 4) AS w;
INSERT INTO presence (restaurant_id, worker_id, session_id, connections, since)
SELECT pg_temp.id(1 + d % 300), pg_temp.id(1 + d % 4), pg_temp.id(d), 1, now()
FROM generate_series(1, 9000) AS d;

-- The floor: parties at the first tables, others who wait, and two years of those who left.
INSERT INTO tables (restaurant_id, id, table_number, capacity, status, position_x, position_y, shape, section,
    created_at, last_updated)
SELECT id, pg_temp.id(t), t::text, 4, CASE WHEN t <= seated THEN 'occupied' ELSE 'available' END, 0.5, 0.5,
    'square', 'Section ' || t % 5, pg_temp.noon(), pg_temp.noon()
FROM houses, generate_series(1, tables) AS t;
INSERT INTO guests (restaurant_id, id, guest_name, party_size, status, wait_position, phone, email,
    quoted_wait_minutes, check_in_time, seated_time, finished_time, quoted_low_minutes, quoted_high_minutes,
    waited_minutes, quote_error_minutes, due_at, created_at, last_updated)
SELECT id, pg_temp.id(g, came),
    (ARRAY['Anna', 'Bert', 'Carla', 'Dora', 'Emil', 'Frida', 'Georg'])[1 + g % 7] || ' '
    || (ARRAY['Schmidt', 'Meier', 'Huber', 'Vogel', 'Roth', 'Wolff', 'Krause', 'Lange', 'Beck', 'Koch', 'Sommer'])[1 + g % 11]
    || ' ' || substr(md5(g::text), 1, 6),
    1 + g % 4, status, CASE status WHEN 'waiting' THEN seated + waiting + 1 - g END,
    '+49 30 ' || 1000000 + g * 7919 % 900000, 'guest' || g || '@example.com', 20, came,
    CASE WHEN status IN ('seated', 'completed') THEN came + interval '15 minutes' END,
    CASE WHEN is_gone THEN came + interval '90 minutes' END, 10, 20,
    CASE WHEN status IN ('seated', 'completed') THEN 15 END,
    CASE WHEN status IN ('seated', 'completed') THEN 5 END,
    CASE status WHEN 'waiting' THEN pg_temp.noon() + make_interval(mins => (g + n) % 60 - 1) END, came, came
FROM houses, generate_series(1, guests) AS g,
    LATERAL (SELECT g > seated + waiting AS is_gone,
        CASE WHEN g <= seated THEN 'seated' WHEN g <= seated + waiting THEN 'waiting'
            WHEN g % 20 = 0 THEN 'cancelled' WHEN g % 20 = 1 THEN 'no_show' ELSE 'completed' END AS status,
        pg_temp.noon() - CASE WHEN g <= seated + waiting THEN make_interval(secs => g)
            ELSE make_interval(mins => 90 + (g - seated - waiting) * (525600 / guests)) END AS came) AS of;
INSERT INTO seatings (restaurant_id, table_id, guest_id, ordinal)
SELECT id, pg_temp.id(g), pg_temp.id(g, pg_temp.noon() - make_interval(secs => g)), 0
FROM houses, generate_series(1, seated) AS g;

-- Bookings of the last 70 days and the next 30, at seven, each at a table of its own.
INSERT INTO reservations (restaurant_id, id, guest_name, guest_phone, guest_email, party_size, reservation_time,
    duration_minutes, status, source, table_ids, created_at, last_updated)
SELECT id, pg_temp.id(day * 1000 + b), 'Booker ' || b, '+49 40 ' || day * 1000 + b, 'booker' || b || '@example.com', 2,
    at, 90, CASE WHEN day <= 70 THEN 'completed' ELSE 'confirmed' END, 'online', ARRAY[pg_temp.id(b * 4)],
    pg_temp.noon(), pg_temp.noon()
FROM houses, generate_series(1, 100) AS day, generate_series(1, bookings_a_day) AS b,
    LATERAL (SELECT pg_temp.noon() + make_interval(days => day - 71, hours => 7) AS at) AS evening;
-- Slots that are kept, some of them for too long, in two months.
INSERT INTO holds (restaurant_id, id, party_size, reservation_time, duration_minutes, table_ids, expires_at, created_at)
SELECT id, pg_temp.id(h), 2, pg_temp.noon() + make_interval(days => 60 + h), 90, ARRAY[pg_temp.id(1)],
    pg_temp.noon() + make_interval(mins => h - 2), pg_temp.noon()
FROM houses, generate_series(1, 15) AS h;
INSERT INTO reservation_tables (restaurant_id, table_id, period, reservation_id, due_at)
SELECT restaurant_id, table_ids[1], tstzrange(reservation_time, reservation_time + interval '90 minutes'), id,
    reservation_time - interval '15 minutes'
FROM reservations WHERE status = 'confirmed';
INSERT INTO reservation_tables (restaurant_id, table_id, period, hold_id)
SELECT restaurant_id, table_ids[1], tstzrange(reservation_time, reservation_time + interval '90 minutes'), id
FROM holds;

INSERT INTO client_operations (restaurant_id, kind, key, body_hash, result, created_at)
SELECT id, (ARRAY['http', 'atomic', 'sync'])[1 + k % 3], 'key-' || k, sha256(k::text::bytea), '{"id": "' || k || '"}',
    pg_temp.noon() - make_interval(mins => k % 1450)
FROM houses JOIN generate_series(1, 20000) AS k ON n = 1 + k % 300;

INSERT INTO menu_categories (restaurant_id, id, name, position, windows, is_active, created_at, updated_at)
SELECT id, pg_temp.id(c), 'Category ' || c, c, '[]', true, pg_temp.noon(), pg_temp.noon()
FROM houses, generate_series(1, 10) AS c;
INSERT INTO dishes (restaurant_id, dish_name, price_minor, currency, is_published, availability, category_id,
    modifier_groups, dietary, allergens, position, created_at, updated_at)
SELECT id, 'Dish ' || d, 1250, 'EUR', d % 5 > 0, 'available', pg_temp.id(1 + d % 10), '[]', '{}', '{}', d,
    pg_temp.noon(), pg_temp.noon()
FROM houses, generate_series(1, dishes) AS d;
