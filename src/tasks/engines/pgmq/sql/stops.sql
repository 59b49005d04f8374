-- Which of these tasks were asked to stop, and in which attempt. $1 id.
select id::text as id, attempt::text as attempt
from errand.task
where id = any ($1::uuid[]) and cancel_requested and status = 'running'
