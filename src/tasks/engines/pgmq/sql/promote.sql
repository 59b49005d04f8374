-- Tasks whose time has come are ready; their procedures. $1 most.
with ready as (
  update errand.task
  set ready = true
  where id in (
    select id
    from errand.task
    where status = 'queued' and not ready and run_at <= statement_timestamp()
    order by run_at
    limit $1
    for update skip locked
  )
  returning procedure
)
select distinct procedure from ready
