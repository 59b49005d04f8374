-- One page, newest first. A filter that is null is none, and the planner sees that: the values are known to it.
-- $1 procedure, $2 status, $3 tag, $4 owner, $5 and $6 the creation (µs) and id of the last one seen, $7 limit.
select to_json(t)::text as task, (extract(epoch from t.created_at) * 1000000)::bigint::text as place
from errand.task t
where ($1::text is null or t.procedure = $1)
  and ($2::text is null or t.status = $2)
  and ($3::text is null or t.tags @> array[$3])
  and ($4::text is null or t.owner = $4)
  and (
    $5::bigint is null
    or (t.created_at, t.id) < (timestamptz 'epoch' + $5 * interval '1 microsecond', $6::uuid)
  )
  and (t.expires_at is null or t.expires_at > statement_timestamp())
order by t.created_at desc, t.id desc
limit $7
