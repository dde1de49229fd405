-- From when somebody at the site has to look at a participant; see
-- study.Snapshot. No index has it: a list is of one site, whose rows the index
-- by kind and site finds, and a search for something due would have to move in
-- an index with every form that arrives. Rows of before are made anew, because
-- their stamp is an older one.
ALTER TABLE snapshots ADD COLUMN look_at INTEGER NOT NULL DEFAULT 0;
