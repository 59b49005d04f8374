-- Renews leases that are held, and hides their messages for as long. $1 id, $2 queue, $3 attempt, $4 lease,
-- $5 its length (ms).
with renewed as (
  update errand.task t
  set lease_until = clock_timestamp() + $5::float8 * interval '1 millisecond'
  from unnest($1::uuid[], $2::text[], $3::integer[], $4::uuid[]) as g (id, queue, attempt, lease)
  where t.id = g.id and t.attempt = g.attempt and t.lease = g.lease
  returning t.id, g.queue, t.message, t.cancel_requested
)
select r.id::text as id, r.cancel_requested as stop, hidden.msg_id::text as message
from renewed r
left join lateral pgmq.set_vt(r.queue, r.message, ceil($5::float8 / 1000)::integer) hidden on true
