CREATE TABLE notes (id INTEGER PRIMARY KEY, written_by TEXT NOT NULL, body TEXT NOT NULL);
INSERT INTO notes (written_by, body) VALUES (muster_tenant(), 'The first note of this tenant.');
