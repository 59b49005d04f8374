-- One task, for a change. $1 id.
select to_json(t)::text as task, (extract(epoch from statement_timestamp()) * 1000)::text as now
from errand.task t
where t.id = $1::uuid and (t.expires_at is null or t.expires_at > statement_timestamp())
for update
