-- Keeps the latest progress of attempts whose lease is held. $1 id, $2 attempt, $3 lease, $4 progress.
update errand.task t
set progress = g.progress, revision = t.revision + 1
from unnest($1::uuid[], $2::integer[], $3::uuid[], $4::json[]) as g (id, attempt, lease, progress)
where t.id = g.id and t.attempt = g.attempt and t.lease = g.lease
returning t.id::text as id
