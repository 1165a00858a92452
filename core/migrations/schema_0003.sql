-- `edits`: what the gateway calls the earlier message whose place this one takes. `card_of`: the order whose
-- card it shows, where the channel can change a message that was sent.
ALTER TABLE messages ADD COLUMN edits text, ADD COLUMN card_of uuid;
CREATE INDEX messages_cards ON messages (card_of) WHERE card_of IS NOT NULL;

-- What a kitchen's people search by: the words of an order, beside it, so that a tap never touches them.
CREATE FUNCTION plain_words(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT lower(unaccent('unaccent', normalize($1, NFC))) $$;
-- First what everybody of the kitchen may always see, then, each behind a sign that nobody types, the
-- customer's name and phone.
CREATE FUNCTION order_words(code text, customer jsonb, items jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT left(plain_words(concat_ws(' ', code,
        (SELECT string_agg(item ->> 'name', ' ') FROM jsonb_array_elements(items) AS item))), 450)
    || chr(31) || plain_words(coalesce(left(customer ->> 'name', 120), ''))
    || chr(31) || coalesce(regexp_replace(customer ->> 'phone', '^\+84', '0'), '') $$;
CREATE TABLE order_search (
    order_id   uuid PRIMARY KEY REFERENCES orders,
    partner_id uuid NOT NULL,
    deliver_at timestamptz NOT NULL,
    words      text NOT NULL
);
CREATE INDEX order_search_walk ON order_search (partner_id, deliver_at, order_id) INCLUDE (words);
INSERT INTO order_search (order_id, partner_id, deliver_at, words)
SELECT id, partner_id, deliver_at, order_words(code, customer, items) FROM orders;

-- A kitchen that has been here for years has had each of its codes many times: the newest is wanted.
DROP INDEX orders_code;
CREATE INDEX orders_code ON orders (partner_id, code, placed_at);
CREATE INDEX orders_status ON orders (partner_id, status, deliver_at, id);
CREATE INDEX orders_ended ON orders (partner_id, status_changed_at, id) INCLUDE (status, total)
    WHERE final_at IS NOT NULL;
CREATE INDEX orders_reviewed ON orders (partner_id, updated_at, id) WHERE review IS NOT NULL;
-- How many stars were given how often, counted without a look into any order: an index on an expression cannot
-- answer by itself, one whose condition says it all can.
CREATE INDEX orders_rated_1 ON orders (partner_id, updated_at) WHERE review ->> 'rating' = '1';
CREATE INDEX orders_rated_2 ON orders (partner_id, updated_at) WHERE review ->> 'rating' = '2';
CREATE INDEX orders_rated_3 ON orders (partner_id, updated_at) WHERE review ->> 'rating' = '3';
CREATE INDEX orders_rated_4 ON orders (partner_id, updated_at) WHERE review ->> 'rating' = '4';
CREATE INDEX orders_rated_5 ON orders (partner_id, updated_at) WHERE review ->> 'rating' = '5';

-- When a kitchen's next morning sheet is due (product time, UTC); null until somebody has looked.
ALTER TABLE partners ALTER COLUMN sheet_at SET DEFAULT '06:00', ADD COLUMN next_sheet_at timestamptz;
UPDATE partners SET sheet_at = '06:00' WHERE sheet_at IS NULL;
CREATE INDEX partners_sheet ON partners (next_sheet_at NULLS FIRST) WHERE sheet_at IS NOT NULL;
CREATE INDEX partners_paused ON partners (paused_until) WHERE paused_until IS NOT NULL;

-- What happened to a kitchen that platforms are told of: paused, resumed. `data` is the webhook's, whole.
CREATE TABLE partner_events (
    id         uuid PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners,
    number     integer NOT NULL,
    type       text NOT NULL,
    at         timestamptz NOT NULL,
    by         jsonb NOT NULL,
    data       jsonb NOT NULL,
    UNIQUE (partner_id, number)
);
-- A webhook tells of an event of an order, or of one of a kitchen: then `order_id` is the kitchen's id and
-- `version` the event's number.
ALTER TABLE webhooks DROP CONSTRAINT webhooks_event_id_fkey;
ALTER TABLE webhooks ADD COLUMN of_partner boolean NOT NULL DEFAULT false;

-- Signed in on the pages: `token_hash` of what the cookie holds. Product time. The address is the one that
-- was proven by signing in, where one was: other kitchens that know it are the same person's.
CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE,
    staff_id     uuid NOT NULL REFERENCES staff,
    via          text NOT NULL,
    device       text NOT NULL,
    address_kind text,
    address      text,
    created_at   timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX sessions_staff ON sessions (staff_id, seen_at);

-- One-time links that sign in, or that let a new member link their chat. Product time. No secret stands here: a
-- link is its id with our signature. The address is the one that it was sent to, where it was sent.
CREATE TABLE one_time_links (
    id           uuid PRIMARY KEY,
    purpose      text NOT NULL CHECK (purpose IN ('login', 'invite')),
    staff_id     uuid NOT NULL REFERENCES staff,
    via          text NOT NULL,
    address_kind text,
    address      text,
    made_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX one_time_links_staff ON one_time_links (staff_id, purpose);
-- The invitation that a code was drawn for: it ends when the code has linked a chat.
ALTER TABLE link_codes ADD COLUMN invite_id uuid;

-- Codes sent to a phone or a mailbox that somebody wants to sign in by. Product time. The code is made of the
-- id and our key.
CREATE TABLE login_codes (
    id           uuid PRIMARY KEY,
    address_kind text NOT NULL,
    address      text NOT NULL,
    made_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    tries        integer NOT NULL DEFAULT 0,
    used_at      timestamptz
);
CREATE INDEX login_codes_address ON login_codes (address, made_at);
