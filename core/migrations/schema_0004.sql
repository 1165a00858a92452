-- Two keys sign for a while when a platform's is renewed: the new one, and the one before until then (product
-- time). A platform that answered 410, or that an operator switched off, is sent nothing until it is switched on.
ALTER TABLE platforms
    ADD COLUMN secret_before text,
    ADD COLUMN secret_before_until timestamptz,
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN disabled_why text,
    ADD COLUMN api_key_hash_before bytea,
    ADD COLUMN api_key_before_until timestamptz,
    -- whether its customers are asked for a review when an order is completed
    ADD COLUMN ask_review boolean NOT NULL DEFAULT false;

-- In which transaction an event was written: who pages forward stays below the oldest one still open. Null: before
-- this was kept, long ago.
ALTER TABLE events ADD COLUMN made_in xid8;
ALTER TABLE events ALTER COLUMN made_in SET DEFAULT pg_current_xact_id();
-- One transaction may carry several events of one order, and their ids rise by the millisecond only: hence by version.
CREATE INDEX events_forward ON events (made_in, order_id, version);
ALTER TABLE partner_events ADD COLUMN made_in xid8;
ALTER TABLE partner_events ALTER COLUMN made_in SET DEFAULT pg_current_xact_id();
CREATE INDEX partner_events_forward ON partner_events (made_in, partner_id, number);

-- One call to a platform. `at` is product time.
CREATE TABLE webhook_attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id  uuid NOT NULL,
    platform_id uuid NOT NULL REFERENCES platforms,
    at          timestamptz NOT NULL,
    took        interval NOT NULL,
    status      integer,
    why         text
);
CREATE INDEX webhook_attempts_webhook ON webhook_attempts (webhook_id);
-- By when a webhook must be delivered before the operators hear of it; set where an order has ended without food. A
-- test that a platform asked for is of no event: it carries the moment at which it was asked for. Until when the platform
-- wants to be left alone about the order (Retry-After).
ALTER TABLE webhooks ADD COLUMN overdue_at timestamptz, ADD COLUMN test_at timestamptz, ADD COLUMN rest_until timestamptz;
CREATE INDEX webhooks_platform ON webhooks (platform_id, id);
-- What each platform waits for, so that one with many does not hide what another one is owed; and what was given up.
CREATE INDEX webhooks_waiting ON webhooks (platform_id, next_at) WHERE state = 'waiting';
CREATE INDEX webhooks_dead ON webhooks (platform_id, id) WHERE state = 'dead';
CREATE INDEX webhooks_overdue ON webhooks (overdue_at) WHERE overdue_at IS NOT NULL AND state <> 'delivered';
DROP INDEX webhooks_due;

-- Operators at the console: who one is, a mailbox of the settings says. Product time.
CREATE TABLE operator_links (
    id         uuid PRIMARY KEY,
    email      text NOT NULL,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX operator_links_email ON operator_links (email, made_at);
CREATE TABLE operator_sessions (
    id         uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    email      text NOT NULL,
    device     text NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz
);

-- What operators did, and to what: nothing of it is ever changed. Product time.
CREATE TABLE audit (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    who      text NOT NULL,
    via      text NOT NULL,
    deed     text NOT NULL,
    about    text NOT NULL,
    about_id uuid,
    reason   text NOT NULL DEFAULT '',
    data     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_about ON audit (about_id, id) WHERE about_id IS NOT NULL;

-- What operators are owed a word about is an item on their console until somebody says that it is dealt with.
ALTER TABLE notices ADD COLUMN handled_at timestamptz, ADD COLUMN handled_by text;

-- Alarms that are over are kept for the record; one that is raised has no end yet.
CREATE TABLE alarms_over (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text NOT NULL,
    detail    text NOT NULL,
    raised_at timestamptz NOT NULL,
    over_at   timestamptz NOT NULL
);

-- When a trouble was last seen; how long after that it is over by itself (null: somebody says so); and what, if a
-- gateway takes it again, shows that it is: a message of this channel, paid for as this, of this kind (null: any).
ALTER TABLE alarms
    ADD COLUMN seen_at timestamptz,
    ADD COLUMN over_after interval,
    ADD COLUMN channel text,
    ADD COLUMN what text,
    ADD COLUMN kind text;
-- What operators were told of orders, nobody has dealt with yet, and is settled when the order moves on.
CREATE INDEX notices_of_troubled_orders ON notices (owed_at)
    WHERE handled_at IS NULL AND (kind IN ('order_at_risk', 'not_completed')
        OR (kind = 'undeliverable' AND data ->> 'notice' IN ('order_new', 'confirm_nudge')));

-- The board: what waits, by the time left.
CREATE INDEX orders_waiting ON orders (deliver_at, id) INCLUDE (partner_id, platform_id) WHERE status = 'pending';
-- What operators are owed a word about and nobody has dealt with.
CREATE INDEX notices_items ON notices (kind, owed_at) WHERE handled_at IS NULL AND kind IN (
    'order_at_risk', 'not_completed', 'low_review', 'undeliverable', 'webhook_dead', 'codes_used_up');
-- What operators search by: a customer's phone, and what somebody of a kitchen is called.
CREATE INDEX orders_phone ON orders ((customer ->> 'phone'), placed_at) WHERE customer ->> 'phone' IS NOT NULL;
-- An index is built with a search path that knows nothing of ours.
CREATE OR REPLACE FUNCTION plain_words(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT lower(public.unaccent('public.unaccent', normalize($1, NFC))) $$;
CREATE INDEX staff_words ON staff USING gin (plain_words(name) gin_trgm_ops);
-- Whose customer is still known though the order is over: core/masking.py, word for word.
CREATE INDEX orders_unmasked ON orders (final_at)
    WHERE final_at IS NOT NULL AND (customer ->> 'name' <> '•••' OR review ->> 'author' <> '•••');
