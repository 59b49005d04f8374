-- Asks the attempt of a locked task to stop. $1 id.
update errand.task t
set cancel_requested = true, revision = revision + 1
where id = $1::uuid and not cancel_requested
