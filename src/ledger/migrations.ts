/**
 * A step of the schema. Migrations only add, so an earlier release's controller works on a later one's ledger: rollback includes
 * the controller. `minimumReader`: the lowest migration a program must know of to work on what this one leaves behind.
 */
export type Migration = { number: number; minimumReader: number; sql: string };

export const migrations: readonly Migration[] = [
  {
    number: 1,
    minimumReader: 1,
    sql: `
      CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        type TEXT NOT NULL,
        release TEXT,
        body TEXT NOT NULL,
        previous TEXT NOT NULL,
        digest TEXT NOT NULL
      ) STRICT;
      CREATE INDEX entries_by_release ON entries (release, id);
      CREATE INDEX entries_by_type ON entries (type, id);
      CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
        BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never changed'); END;
      CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries
        BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never deleted'); END;
      CREATE TABLE rollouts (
        token INTEGER PRIMARY KEY,
        "release" TEXT NOT NULL,
        "commit" TEXT NOT NULL,
        environment TEXT NOT NULL,
        controller TEXT NOT NULL UNIQUE,
        started_at TEXT NOT NULL,
        renewed_at TEXT NOT NULL,
        ended_at TEXT,
        outcome TEXT CHECK (outcome IN ('live', 'failed', 'superseded')),
        problem TEXT
      ) STRICT;
      CREATE UNIQUE INDEX one_rollout_under_way ON rollouts (outcome IS NULL) WHERE outcome IS NULL;
    `,
  },
  {
    number: 2,
    minimumReader: 1,
    sql: `
      ALTER TABLE rollouts ADD COLUMN asked TEXT;
      ALTER TABLE rollouts ADD COLUMN replaced TEXT;
      ALTER TABLE rollouts ADD COLUMN held TEXT;
      CREATE TABLE turns (
        controller TEXT PRIMARY KEY,
        "release" TEXT NOT NULL,
        "commit" TEXT NOT NULL,
        environment TEXT NOT NULL,
        since TEXT NOT NULL
      ) STRICT;
      CREATE INDEX rollouts_by_release ON rollouts ("release", token);
      CREATE INDEX rollouts_by_replaced ON rollouts (replaced, token);
    `,
  },
  {
    number: 3,
    minimumReader: 1,
    sql: `
      ALTER TABLE rollouts ADD COLUMN going_back TEXT;
      ALTER TABLE rollouts ADD COLUMN yields INTEGER;
      ALTER TABLE rollouts ADD COLUMN decision TEXT CHECK (decision IN ('let-live', 'drop'));
    `,
  },
  {
    number: 4,
    minimumReader: 1,
    sql: `
      CREATE TABLE job_runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        job TEXT NOT NULL,
        "release" TEXT NOT NULL,
        "commit" TEXT NOT NULL,
        environment TEXT NOT NULL,
        reason TEXT NOT NULL,
        parameters TEXT NOT NULL,
        plan TEXT NOT NULL,
        accepted_at TEXT NOT NULL,
        token INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        renewed_at TEXT,
        started_at TEXT,
        cancel_asked_at TEXT,
        ended_at TEXT,
        outcome TEXT CHECK ((outcome IS NULL) = (ended_at IS NULL)),
        problem TEXT,
        closed_at TEXT
      ) STRICT;
      CREATE INDEX job_runs_open ON job_runs (number) WHERE closed_at IS NULL;
      CREATE INDEX job_runs_by_job ON job_runs (job, number);
      CREATE TABLE job_steps (
        run TEXT NOT NULL REFERENCES job_runs (id),
        step TEXT NOT NULL,
        container TEXT,
        created_at TEXT,
        started_at TEXT,
        ended_at TEXT,
        outcome TEXT CHECK ((outcome IS NULL) = (ended_at IS NULL)),
        exit_code INTEGER,
        problem TEXT,
        PRIMARY KEY (run, step)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    number: 5,
    minimumReader: 1,
    sql: `
      CREATE TABLE deliveries (
        number INTEGER PRIMARY KEY,
        source TEXT NOT NULL,
        delivery TEXT NOT NULL,
        kind TEXT NOT NULL,
        repository TEXT,
        branch TEXT,
        "before" TEXT,
        "after" TEXT,
        received_at TEXT NOT NULL,
        taken_at TEXT NOT NULL,
        body BLOB NOT NULL,
        once TEXT,
        UNIQUE (source, delivery),
        UNIQUE (source, once)
      ) STRICT;
      CREATE TABLE inbox_files (file TEXT PRIMARY KEY, taken INTEGER NOT NULL) STRICT;
    `,
  },
  {
    number: 6,
    minimumReader: 1,
    sql: `
      CREATE TABLE leaving (container TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT;
      CREATE TABLE refusals (controller TEXT PRIMARY KEY, claim TEXT NOT NULL, at TEXT NOT NULL) STRICT;
      `,
  },
  {
    number: 7,
    minimumReader: 1,
    sql: `
      ALTER TABLE job_runs ADD COLUMN push TEXT;
      ALTER TABLE job_runs ADD COLUMN delivery INTEGER;
      ALTER TABLE job_runs ADD COLUMN turn TEXT;
      CREATE TABLE schedules (one INTEGER PRIMARY KEY CHECK (one = 1), looked_at TEXT NOT NULL) STRICT;
      CREATE INDEX job_runs_by_delivery ON job_runs (delivery) WHERE delivery IS NOT NULL;
      CREATE INDEX job_runs_by_turn ON job_runs (turn) WHERE turn IS NOT NULL AND ended_at IS NULL;
    `,
  },
  {
    number: 8,
    minimumReader: 1,
    sql: `
      CREATE TABLE channels (name TEXT PRIMARY KEY, told INTEGER NOT NULL, dropped INTEGER NOT NULL DEFAULT 0) STRICT;
      CREATE TABLE branch_heads (
        repository TEXT NOT NULL,
        branch TEXT NOT NULL,
        head TEXT NOT NULL,
        PRIMARY KEY (repository, branch)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX deliveries_by_branch ON deliveries (lower(repository), branch, number);
      CREATE INDEX deliveries_found ON deliveries (lower(repository), branch, "after", number) WHERE source = 'oversight';
    `,
  },
  {
    number: 9,
    minimumReader: 1,
    sql: `
      CREATE INDEX entries_by_run ON entries (json_extract(body, '$.run'), id) WHERE json_extract(body, '$.run') IS NOT NULL;
      CREATE TABLE tokens (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        scope TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE,
        added_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        revoked_at TEXT
      ) STRICT;
      CREATE UNIQUE INDEX one_token_of_a_name ON tokens (name) WHERE revoked_at IS NULL;
      CREATE TABLE command_ends (
        delivery INTEGER PRIMARY KEY REFERENCES deliveries (number),
        ended_at TEXT NOT NULL,
        problem TEXT
      ) STRICT;
      CREATE TABLE release_facts (
        "release" TEXT NOT NULL,
        environment TEXT NOT NULL,
        facts TEXT NOT NULL,
        PRIMARY KEY ("release", environment)
      ) STRICT;
    `,
  },
];

/** The schema this program knows. */
export const knownSchema = Math.max(...migrations.map(({ number }) => number));
