-- Tells all hosts. A commit that carries a notification is made one at a time in all the database, so this one does
-- not wait for the disk. $1 channel, $2 payloads, in order.
select set_config('synchronous_commit', 'off', true), pg_notify($1::text, payload) from unnest($2::text[]) payload
