-- Tables that grow for ever are kept in parts, one for each month; core/partitions.py makes and drops them.
-- What there is becomes the default part, untouched: nothing is copied, nothing is looked through.
-- Each block is a transaction of its own that gives up rather than wait, and can be run again.
-- What referred to a table that is parted refers to it no more: whoever writes an event, a message or an attempt
-- holds its order, its notice or its message.

-- block: an id that lies in the same month as another
CREATE OR REPLACE FUNCTION id_beside(uuid) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS
$$ SELECT encode(overlay(uuid_send(gen_random_uuid()) PLACING substring(uuid_send($1) FROM 1 FOR 7) FROM 1 FOR 7),
    'hex')::uuid $$;

-- block: events
ALTER TABLE events DROP CONSTRAINT IF EXISTS events_order_id_fkey;
ALTER TABLE events RENAME TO events_default;
CREATE TABLE events (LIKE events_default INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
    PARTITION BY RANGE (id);
ALTER TABLE events ADD PRIMARY KEY (id);
ALTER TABLE events ATTACH PARTITION events_default DEFAULT;

-- block: messages
ALTER TABLE attempts DROP CONSTRAINT IF EXISTS attempts_message_id_fkey;
ALTER TABLE messages DROP CONSTRAINT IF EXISTS messages_notice_id_fkey;
ALTER TABLE messages RENAME TO messages_default;
CREATE TABLE messages (LIKE messages_default INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
    PARTITION BY RANGE (id);
ALTER TABLE messages ADD PRIMARY KEY (id);
ALTER TABLE messages ATTACH PARTITION messages_default DEFAULT;

-- block: attempts
CREATE SEQUENCE attempts_ids;
ALTER TABLE attempts ALTER COLUMN id DROP IDENTITY;
SELECT setval('attempts_ids', coalesce(max(id), 0) + 1, false) FROM attempts;
ALTER TABLE attempts ALTER COLUMN id SET DEFAULT nextval('attempts_ids');
ALTER TABLE attempts RENAME TO attempts_default;
CREATE TABLE attempts (LIKE attempts_default INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
    PARTITION BY RANGE (message_id);
ALTER TABLE attempts ATTACH PARTITION attempts_default DEFAULT;

-- block: inbox
-- When a key was written down, by the clock of the database alone; null: before this was kept.
ALTER TABLE inbox ADD COLUMN made_at timestamptz;
ALTER TABLE inbox ALTER COLUMN made_at SET DEFAULT clock_timestamp();
ALTER TABLE inbox RENAME TO inbox_default;
CREATE TABLE inbox (LIKE inbox_default INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
    PARTITION BY RANGE (made_at);
ALTER TABLE inbox ATTACH PARTITION inbox_default DEFAULT;
-- Two that come in with one key at the end of a month may want to lie in two parts. They queue, and the second,
-- which then sees the first, writes nothing: as if the key had met its like in one part.
CREATE FUNCTION key_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.key, 7214902613));
    IF EXISTS (SELECT 1 FROM inbox WHERE key = NEW.key) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER key_is_new BEFORE INSERT ON inbox FOR EACH ROW
WHEN (date_trunc('month', NEW.made_at - interval '1 hour', 'UTC')
    <> date_trunc('month', NEW.made_at + interval '1 hour', 'UTC'))
EXECUTE FUNCTION key_is_new();
