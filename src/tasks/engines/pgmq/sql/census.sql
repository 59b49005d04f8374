-- How many tasks of these procedures have not ended, and for how many ms the longest waiting one could have run. $1
-- procedures. Each of the three is found by an index of what has not ended.
select p as procedure, ready.due::text, delayed.delayed::text, running.running::text, ready.waited::text
from unnest($1::text[]) p
cross join lateral (
  select count(*) as due, extract(epoch from statement_timestamp() - min(greatest(created_at, run_at))) * 1000 as waited
  from errand.task where ready and task.procedure = p
) ready
cross join lateral (
  select count(*) as delayed from errand.task where status = 'queued' and not ready and task.procedure = p
) delayed
cross join lateral (
  select count(*) as running from errand.task where status = 'running' and task.procedure = p
) running
