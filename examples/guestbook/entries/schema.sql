CREATE TABLE entries (id uuid PRIMARY KEY, text text NOT NULL, at timestamptz NOT NULL DEFAULT now());

CREATE INDEX entries_at ON entries (at);

