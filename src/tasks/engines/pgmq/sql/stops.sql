-- Which of these tasks were asked to stop. $1 id.
select id::text as id
from errand.task
where id = any ($1::uuid[]) and cancel_requested and status = 'running'
