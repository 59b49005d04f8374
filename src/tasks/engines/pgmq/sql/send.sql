-- A message for a task that is queued again by hand. $1 queue, $2 id.
select pgmq.send($1::text, jsonb_build_object('id', $2::uuid), 0)::text as message
