-- Locks what is to be taken next, leaving out what others have locked. $1 procedure, $2 most.
select to_json(t)::text as task, (extract(epoch from statement_timestamp()) * 1000)::text as now
from errand.task t
where t.ready and t.procedure = $1
order by t.priority desc, t.created_at, t.id
limit $2
for update skip locked
