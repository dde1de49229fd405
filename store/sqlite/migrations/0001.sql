-- Text is compared byte by byte (BINARY, the default). Instants are
-- milliseconds since 1970 in UTC; 0 is no instant.

-- The log. The bytes are JSON text, so that a person with a SQLite shell can
-- read the record without this program. A rowid table, because its rows are
-- larger than a page of a WITHOUT ROWID table keeps in one piece.
CREATE TABLE events (
  stream     TEXT    NOT NULL,
  seq        INTEGER NOT NULL,
  event_id   TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  actor_role TEXT    NOT NULL,
  actor_id   TEXT    NOT NULL,
  type       TEXT    NOT NULL,
  hash       BLOB    NOT NULL,
  bytes      TEXT    NOT NULL,
  PRIMARY KEY (stream, seq),
  UNIQUE (event_id)
) STRICT;

CREATE INDEX events_by_at ON events (at, stream, seq);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;

-- INSERT OR REPLACE deletes without the trigger above, unless
-- recursive_triggers is on, which a shell does not do by itself.
CREATE TRIGGER events_are_never_replaced BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND seq = NEW.seq)
  OR EXISTS (SELECT 1 FROM events WHERE event_id = NEW.event_id)
BEGIN SELECT RAISE(ABORT, 'an event is never replaced'); END;

-- The cache. The state comes last, so that the rest is read without it.
CREATE TABLE snapshots (
  stream    TEXT    NOT NULL PRIMARY KEY,
  seq       INTEGER NOT NULL,
  stamp     TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  site      TEXT    NOT NULL,
  label     TEXT    NOT NULL,
  opens_at  INTEGER NOT NULL,
  due_at    INTEGER NOT NULL,
  closes_at INTEGER NOT NULL,
  state     TEXT    NOT NULL
) STRICT;

-- The stamp is in the first two so that a search for stale snapshots that
-- finds none reads the index only. None of these columns change with an
-- ordinary event, so that writing a snapshot seldom writes an index.
CREATE INDEX snapshots_by_kind ON snapshots (kind, site, label, stream, stamp);
CREATE INDEX snapshots_by_site ON snapshots (site, label, stream, stamp);
CREATE INDEX snapshots_by_label ON snapshots (label, site, stream);

-- What is kept beside the log.
CREATE TABLE records (
  kind       TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  owner      TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  data       TEXT    NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT;

CREATE INDEX records_by_owner ON records (kind, owner, at, key);
CREATE INDEX records_by_at ON records (kind, at, key);
CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at <> 0;

-- One row that a readiness check writes: that a store can be written is known
-- only after writing it.
CREATE TABLE readiness (
  id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  checks INTEGER NOT NULL
) STRICT;

INSERT INTO readiness (id, checks) VALUES (1, 0);
