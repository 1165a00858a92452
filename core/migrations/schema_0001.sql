-- The first schema. Times are timestamptz, money is integer đồng, ids are made by us (uuid) but for rows that nobody outside names.
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- One row: how far product time is ahead of real time.
CREATE TABLE clock (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ahead      interval NOT NULL DEFAULT '0'
);
INSERT INTO clock DEFAULT VALUES;

-- Sealed named values (tokens); whoever changes one holds its row lock.
CREATE TABLE secrets (
    name       text PRIMARY KEY,
    sealed     bytea,
    updated_at timestamptz NOT NULL
);

CREATE TABLE partners (
    id           uuid PRIMARY KEY,
    code         text NOT NULL UNIQUE,
    name         text NOT NULL,
    locale       text NOT NULL DEFAULT 'vi',
    timezone     text NOT NULL DEFAULT 'Asia/Ho_Chi_Minh',
    quiet_from   time,
    quiet_to     time,
    sheet_at     time,
    paused_until timestamptz,
    codes_drawn  integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL
);

CREATE TABLE staff (
    id         uuid PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners,
    name       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('owner', 'manager', 'kitchen', 'cashier')),
    notify     boolean NOT NULL DEFAULT false,
    locale     text,
    added_at   timestamptz NOT NULL,
    position   bigint GENERATED ALWAYS AS IDENTITY,
    removed_at timestamptz
);
CREATE UNIQUE INDEX staff_name ON staff (partner_id, lower(name)) WHERE removed_at IS NULL;
CREATE INDEX staff_partner ON staff (partner_id, position);

-- One way to reach one staff member; the same Zalo user may belong to staff of two kitchens.
CREATE TABLE addresses (
    id         uuid PRIMARY KEY,
    staff_id   uuid NOT NULL REFERENCES staff,
    kind       text NOT NULL CHECK (kind IN ('zalo_user', 'phone', 'telegram_chat', 'email')),
    value      text NOT NULL,
    heard_at   timestamptz,
    ended_at   timestamptz,
    added_at   timestamptz NOT NULL,
    UNIQUE (staff_id, kind, value)
);
CREATE INDEX addresses_value ON addresses (kind, value);

CREATE TABLE platforms (
    id              uuid PRIMARY KEY,
    name            text NOT NULL UNIQUE,
    api_key_hash    bytea NOT NULL UNIQUE,
    webhook_url     text,
    webhook_secret  text NOT NULL,
    notify_customer boolean NOT NULL DEFAULT true,
    scope           text NOT NULL DEFAULT 'all' CHECK (scope IN ('all', 'own')),
    created_at      timestamptz NOT NULL
);

CREATE TABLE orders (
    id                 uuid PRIMARY KEY,
    platform_id        uuid NOT NULL REFERENCES platforms,
    external_id        text NOT NULL,
    partner_id         uuid NOT NULL REFERENCES partners,
    code               text NOT NULL CHECK (code ~ '^[0-9]{5}$'),
    status             text NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled', 'expired', 'completed')),
    version            integer NOT NULL,
    revision           integer NOT NULL,
    deliver_at         timestamptz NOT NULL,
    ordered_at         timestamptz NOT NULL,
    placed_at          timestamptz NOT NULL,
    asked_at           timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    address            text NOT NULL,
    note               text NOT NULL,
    items              jsonb NOT NULL,
    fees               bigint NOT NULL,
    discount           bigint NOT NULL,
    total              bigint NOT NULL,
    currency           text NOT NULL,
    customer           jsonb NOT NULL,
    status_changed_at  timestamptz NOT NULL,
    status_changed_by  jsonb NOT NULL,
    reason             jsonb,
    review             jsonb,
    final_at           timestamptz,
    -- of what was placed, so that a repeat is told from a misuse of the external id
    fingerprint        bytea NOT NULL,
    -- the transaction that changed it last: forward readers stay below the oldest one still open
    changed_in         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE (platform_id, external_id)
) WITH (fillfactor = 80);
CREATE INDEX orders_code ON orders (partner_id, code);
CREATE INDEX orders_delivery ON orders (partner_id, deliver_at, id);
CREATE INDEX orders_platform ON orders (platform_id, placed_at, id);
CREATE INDEX orders_completed ON orders (platform_id, status_changed_at, id) WHERE status = 'completed';
CREATE INDEX orders_changed ON orders (platform_id, updated_at, id);

-- The audit trail. `snapshot` is the whole order as of this event: what platforms are told is made of it.
CREATE TABLE events (
    id       uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    version  integer NOT NULL,
    type     text NOT NULL,
    at       timestamptz NOT NULL,
    by       jsonb NOT NULL,
    data     jsonb NOT NULL,
    snapshot jsonb NOT NULL,
    UNIQUE (order_id, version)
);

-- What is live or was: an order has at most one live timer of a kind.
CREATE TABLE timers (
    id       uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    kind     text NOT NULL,
    step     text NOT NULL,
    due_at   timestamptz NOT NULL,
    state    text NOT NULL CHECK (state IN ('live', 'done', 'dead', 'skipped'))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX timers_live ON timers (order_id, kind) WHERE state = 'live';
CREATE INDEX timers_due ON timers (due_at) WHERE state = 'live';

-- Something owed to somebody. Once per order, kind and occasion; answers and alarms have no order or their own occasion.
CREATE TABLE notices (
    id         uuid PRIMARY KEY,
    order_id   uuid REFERENCES orders,
    kind       text NOT NULL,
    occasion   text NOT NULL,
    revision   integer NOT NULL DEFAULT 0,
    data       jsonb NOT NULL,
    owed_at    timestamptz NOT NULL,
    owed_real  timestamptz NOT NULL DEFAULT clock_timestamp(),
    state      text NOT NULL DEFAULT 'owed' CHECK (state IN ('owed', 'routed', 'dropped', 'failed')),
    why        text,
    UNIQUE (order_id, kind, occasion)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX notices_of_no_order ON notices (kind, occasion) WHERE order_id IS NULL;
CREATE INDEX notices_owed ON notices (owed_at) WHERE state = 'owed';

-- One notice on one channel to one address. next_at is product time, leased_until is real time.
CREATE TABLE messages (
    id           uuid PRIMARY KEY,
    notice_id    uuid NOT NULL REFERENCES notices,
    order_id     uuid,
    leg          text NOT NULL,
    person       text NOT NULL,
    staff_id     uuid,
    channel      text NOT NULL,
    address_kind text NOT NULL,
    address      text NOT NULL,
    rung         integer NOT NULL DEFAULT 0,
    state        text NOT NULL CHECK (state IN ('waiting', 'sent', 'unclear', 'failed', 'dropped')),
    tries        integer NOT NULL DEFAULT 0,
    lost         integer NOT NULL DEFAULT 0,
    next_at      timestamptz,
    leased_until timestamptz,
    gateway_id   text,
    receipt      text,
    why          text,
    created_at   timestamptz NOT NULL,
    sent_at      timestamptz,
    UNIQUE (notice_id, leg, person, rung)
) WITH (fillfactor = 80);
CREATE INDEX messages_due ON messages (channel, next_at) WHERE state IN ('waiting', 'unclear');
CREATE INDEX messages_order ON messages (order_id, created_at);
CREATE INDEX messages_gateway ON messages (channel, gateway_id) WHERE gateway_id IS NOT NULL;

-- One call to a gateway.
CREATE TABLE attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  uuid NOT NULL REFERENCES messages,
    try         integer NOT NULL,
    started_at  timestamptz NOT NULL,
    took        interval NOT NULL,
    outcome     text NOT NULL,
    why         text,
    cost        integer
);
CREATE INDEX attempts_message ON attempts (message_id);

-- One event owed to one platform; its body is made of the event's snapshot, so it never changes.
CREATE TABLE webhooks (
    id           uuid PRIMARY KEY,
    event_id     uuid NOT NULL REFERENCES events,
    order_id     uuid NOT NULL,
    version      integer NOT NULL,
    platform_id  uuid NOT NULL REFERENCES platforms,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    tries        integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL,
    leased_until timestamptz,
    last_status  integer,
    why          text,
    delivered_at timestamptz,
    UNIQUE (event_id, platform_id)
) WITH (fillfactor = 80);
CREATE INDEX webhooks_due ON webhooks (next_at) WHERE state = 'waiting';
CREATE INDEX webhooks_order ON webhooks (order_id, platform_id, version) WHERE state = 'waiting';

-- Everything that came in and had an effect, with its answer. `fingerprint` tells a repeat from a misuse of the key.
CREATE TABLE inbox (
    key         text PRIMARY KEY,
    received_at timestamptz NOT NULL,
    fingerprint bytea,
    answer      jsonb NOT NULL
);
CREATE INDEX inbox_received ON inbox (received_at);
CREATE INDEX inbox_of_platforms ON inbox (received_at) WHERE key LIKE 'api:%';

CREATE TABLE link_codes (
    id         uuid PRIMARY KEY,
    staff_id   uuid NOT NULL REFERENCES staff,
    channel    text NOT NULL,
    code_hash  bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX link_codes_hash ON link_codes (code_hash) WHERE used_at IS NULL;

-- Wrong tries of a sender, by what was tried (link codes, order codes); real people, so product time.
CREATE TABLE wrong_tries (
    what         text NOT NULL,
    sender       text NOT NULL,
    tries        integer NOT NULL,
    since        timestamptz NOT NULL,
    locked_until timestamptz,
    PRIMARY KEY (what, sender)
);

-- What the operators were told of and is not over yet.
CREATE TABLE alarms (
    name       text PRIMARY KEY,
    raised_at  timestamptz NOT NULL,
    detail     text NOT NULL DEFAULT ''
);

-- When each keeper last ran (real time): how the web process sees that the worker is gone.
CREATE TABLE heartbeats (
    name text PRIMARY KEY,
    at   timestamptz NOT NULL
);
