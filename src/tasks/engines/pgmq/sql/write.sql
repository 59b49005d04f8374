-- Writes changed tasks, each only if it is still in the hands of whoever changed it, and not asked to stop behind their
-- back; tells which were refused. Its message follows: deleted once it has ended, else visible when it may run. $1 id, $2 queue, $3 attempt and
-- $4 lease before, $5 knows that it is to stop, $6 status, $7 attempt, $8 lease, $9 length of the lease (ms),
-- $10 run at, $11 deadline, $12 over at (ms), $13 revision, $14 progress, $15 state, $16 message.
with given as materialized (
  select *
  from unnest(
    $1::uuid[], $2::text[], $3::integer[], $4::uuid[], $5::boolean[], $6::text[], $7::integer[], $8::uuid[],
    $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::integer[], $14::json[], $15::json[], $16::bigint[]
  ) as g (
    id, queue, attempt_before, lease_before, knows, status, attempt, lease,
    held, run_at, deadline_at, expires_at, revision, progress, state, message
  )
),
written as (
  update errand.task t
  set status = g.status,
    ready = g.status = 'queued' and coalesce(to_timestamp(g.run_at / 1000) <= statement_timestamp(), true),
    run_at = to_timestamp(g.run_at / 1000),
    deadline_at = to_timestamp(g.deadline_at / 1000),
    expires_at = to_timestamp(g.expires_at / 1000),
    cancel_requested = g.knows,
    attempt = g.attempt,
    lease = g.lease,
    lease_until = clock_timestamp() + g.held * interval '1 millisecond',
    revision = greatest(g.revision, t.revision + 1),
    progress = g.progress,
    state = g.state,
    message = coalesce(g.message, t.message)
  from given g
  where t.id = g.id
    and t.attempt = g.attempt_before
    and t.lease is not distinct from g.lease_before
    and (g.knows or t.lease is null or not t.cancel_requested)
  returning t.id, g.queue, t.status, t.run_at, t.message
),
deleted as (
  select pgmq.delete(queue, array_agg(message)) as message
  from written
  where status in ('succeeded', 'failed', 'cancelled') and message is not null
  group by queue
),
shown as (
  select pgmq.set_vt(
    queue,
    message,
    least(coalesce(greatest(0, ceil(extract(epoch from run_at - statement_timestamp()))), 0), 2000000000)::integer
  ) as message
  from written
  where status = 'queued' and message is not null
)
select
  array_to_string(array(select id from given where id not in (select w.id from written w)), ',') as refused,
  (select count(*) from deleted)::text as deleted,
  (select count(*) from shown)::text as shown
