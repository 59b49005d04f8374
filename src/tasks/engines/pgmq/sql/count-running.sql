-- How many of a procedure run, on all hosts. Whoever asks has the procedure to itself until its transaction ends.
-- $1 procedure.
select count(*)::text as running
from errand.task
where status = 'running' and procedure = $1
