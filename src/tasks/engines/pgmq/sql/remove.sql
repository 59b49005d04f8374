-- Forgets an ended task, and says what there was. $1 id.
with found as (
  select id, status in ('queued', 'running') as live
  from errand.task
  where id = $1::uuid and (expires_at is null or expires_at > statement_timestamp())
),
removed as (
  delete from errand.task
  where id = $1::uuid and status not in ('queued', 'running')
  returning id
)
select live, (select count(*) from removed) > 0 as removed from found
