-- What there is to do: procedures with tasks that are ready, and in how many ms the next delay, deadline or lease ends.
-- $1 procedures.
select json_build_object(
  'ready', array(
    select p from unnest($1::text[]) p where exists (select from errand.task t where t.ready and t.procedure = p)
  ),
  'delay', extract(epoch from (
    select min(run_at) from errand.task where status = 'queued' and not ready
  ) - statement_timestamp()) * 1000,
  'deadline', extract(epoch from (
    select min(deadline_at) from errand.task
    where status = 'queued' and deadline_at is not null and procedure = any ($1::text[])
  ) - statement_timestamp()) * 1000,
  'lease', extract(epoch from (
    select min(lease_until) from errand.task where status = 'running' and procedure = any ($1::text[])
  ) - statement_timestamp()) * 1000
)::text as look
