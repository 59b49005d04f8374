-- Tasks by id. $1 id.
select to_json(t)::text as task
from errand.task t
where t.id = any ($1::uuid[]) and (t.expires_at is null or t.expires_at > statement_timestamp())
