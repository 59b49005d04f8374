-- Every task is one row, which is its record and decides what may be done with it. Its message in a queue of pgmq
-- follows the row.

create schema if not exists errand;

-- The migrations that were made.
create table errand.migration (
  version integer primary key,
  name text not null,
  made_at timestamptz not null default clock_timestamp()
);

create table errand.task (
  id uuid primary key,
  procedure text not null,
  owner text,
  -- Digest of owner, procedure and idempotency key: of all tasks with one, one is there.
  key text,
  tags text[],
  priority integer not null,
  created_at timestamptz not null,
  -- What never changes: the input, and what goes with it to a worker.
  spec json not null,

  status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  -- Queued, and not to wait for a time.
  ready boolean not null,
  run_at timestamptz,
  deadline_at timestamptz,
  expires_at timestamptz,
  cancel_requested boolean not null,
  attempt integer not null,
  -- Which host has the task, and until when: every write for a running attempt names the lease.
  lease uuid,
  lease_until timestamptz,
  revision integer not null,
  -- A list of one: the latest progress, which may be null.
  progress json,
  -- The rest of the record: attempts, times, result or error.
  state json not null,
  -- Its message in the procedure's queue, until it has ended.
  message bigint
)
with (
  -- Rows change a few times within seconds of their birth and then never again.
  autovacuum_vacuum_scale_factor = 0.05
);

-- Of many starts with one key, one is written. Its row is looked for by this index too.
create unique index task_key on errand.task (key) where key is not null;

-- What may be taken, in the order in which it is taken.
create index task_ready on errand.task (procedure, priority desc, created_at, id) where ready;

-- What becomes ready, what is too late, whose host was lost, what is over: each found by the clock.
create index task_delayed on errand.task (run_at) where status = 'queued' and not ready;
create index task_deadline on errand.task (deadline_at) where status = 'queued' and deadline_at is not null;
create index task_lease on errand.task (procedure, lease_until) where status = 'running';
create index task_expiry on errand.task (expires_at) where expires_at is not null;

-- Lists, newest first: all, by procedure, by status, by owner. Most tasks have succeeded, so that a walk by age finds
-- those soon enough; and a write less for each task is worth more.
create index task_age on errand.task (created_at, id);
create index task_procedure on errand.task (procedure, created_at, id);
create index task_status on errand.task (status, created_at, id) where status <> 'succeeded';
create index task_owner on errand.task (owner, created_at, id) where owner is not null;
create index task_tags on errand.task using gin (tags) where tags is not null;

-- Nothing is granted to anybody. Should the schema be shown to the world by mistake, no row is.
alter table errand.task enable row level security;

insert into errand.migration (version, name) values (1, '0001_task');
