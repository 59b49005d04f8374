-- Takes messages back whose tasks were not written. $1 queue, $2 message.
select pgmq.delete(queue, array_agg(message)) as message
from unnest($1::text[], $2::bigint[]) as m (queue, message)
group by queue
