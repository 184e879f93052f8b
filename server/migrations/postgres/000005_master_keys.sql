-- Which master keys have sealed something in this database, by ids that are derived from them: a start without one of them is
-- refused, rather than make another key beside secrets that it cannot open. `hashes`: the one that keyed hashes are made with.
CREATE TABLE master_keys (
  id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
  hashes boolean NOT NULL,
  first_used_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX master_keys_one_hashes ON master_keys (hashes) WHERE hashes;
GRANT SELECT, INSERT ON master_keys TO weir_system;
