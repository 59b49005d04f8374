-- One at a time changes the schema or makes queues. $1 schema.
select pg_advisory_xact_lock(hashtextextended($1::text, 0))
