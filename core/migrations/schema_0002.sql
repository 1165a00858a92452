-- What was paid for with an attempt, in how many parts (segments of an SMS), and when it was by product time.
ALTER TABLE attempts ADD COLUMN what text, ADD COLUMN parts integer, ADD COLUMN at timestamptz;

-- Until then (real time) whoever took the question in carries the answer in its own reply.
ALTER TABLE notices ADD COLUMN held_until timestamptz;
CREATE INDEX notices_held ON notices (occasion COLLATE "C") WHERE held_until IS NOT NULL;

-- `deadline`: what is sent first when a gateway takes less than there is. `carrier_id`: the message that
-- carried this one's notice with others; `orders_told`: the orders that a carrier's card lists.
ALTER TABLE messages ADD COLUMN deadline timestamptz, ADD COLUMN carrier_id uuid, ADD COLUMN orders_told uuid[];
CREATE INDEX messages_carried ON messages (carrier_id) WHERE carrier_id IS NOT NULL;
CREATE INDEX messages_nudging ON messages (person, created_at) WHERE orders_told IS NOT NULL;

-- Receipts that came before we had written down what the gateway calls the message; for minutes (real time).
CREATE TABLE early_receipts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel    text NOT NULL,
    gateway_id text NOT NULL,
    kind       text NOT NULL,
    dong       integer,
    at         timestamptz NOT NULL,
    UNIQUE (channel, gateway_id, kind)
);

-- What is known of an address on a channel (product time): when it last worked, when it last failed, and
-- until when it is not tried at all. Hearing from it forgets the failure.
CREATE TABLE reach (
    channel   text NOT NULL,
    address   text NOT NULL,
    worked_at timestamptz,
    failed_at timestamptz,
    out_until timestamptz,
    why       text,
    PRIMARY KEY (channel, address)
);
CREATE INDEX reach_address ON reach (address) WHERE failed_at IS NOT NULL;
