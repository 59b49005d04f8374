-- The queues there are.
select queue_name::text as queue from pgmq.list_queues()
