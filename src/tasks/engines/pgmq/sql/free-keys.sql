-- A key is free again once the time of its task is over, swept or not. $1 key.
delete from errand.task
where key = any ($1::text[]) and expires_at <= statement_timestamp()
