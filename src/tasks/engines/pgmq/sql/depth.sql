-- How many tasks are queued, counted no further than needed. $1 most.
select (
  (select count(*) from (select from errand.task where ready limit $1) r)
  + (select count(*) from (select from errand.task where status = 'queued' and not ready limit $1) d)
)::text as depth
