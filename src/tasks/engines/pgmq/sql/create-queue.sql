-- Makes a queue; one that is there stays as it is. $1 queue.
select pgmq.create($1::text)
