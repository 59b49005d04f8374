-- The tasks that have these keys. $1 key.
select t.key as key, to_json(t)::text as task
from errand.task t
where t.key = any ($1::text[]) and (t.expires_at is null or t.expires_at > statement_timestamp())
