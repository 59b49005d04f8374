-- Deletes records whose time is over, leaving out what others delete now. $1 most.
with over as (
  delete from errand.task
  where id in (
    select id
    from errand.task
    where expires_at <= statement_timestamp()
    order by expires_at
    limit $1
    for update skip locked
  )
  returning id
)
select count(*)::text as deleted from over
