-- Which leases are held. $1 id, $2 attempt, $3 lease.
select t.id::text as id
from unnest($1::uuid[], $2::integer[], $3::uuid[]) as g (id, attempt, lease)
join errand.task t on t.id = g.id and t.attempt = g.attempt and t.lease = g.lease
