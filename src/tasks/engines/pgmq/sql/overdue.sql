-- Locks tasks whose host was lost, and queued ones that are too late. $1 procedures, $2 most.
select to_json(t)::text as task, (extract(epoch from statement_timestamp()) * 1000)::text as now
from errand.task t
where t.procedure = any ($1::text[])
  and (
    (t.status = 'running' and t.lease_until <= statement_timestamp())
    or (t.status = 'queued' and t.deadline_at <= statement_timestamp())
  )
limit $2
for update skip locked
