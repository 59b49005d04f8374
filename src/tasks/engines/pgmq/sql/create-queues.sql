-- Makes queues; those that are there stay as they are. $1 queue.
select pgmq.create(queue) from unnest($1::text[]) as q (queue)
