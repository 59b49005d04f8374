-- What the database has of what is needed. $1 schema, $2 functions of pgmq.
select
  current_setting('server_version_num') as server,
  current_user::text as role,
  current_database()::text as database,
  to_regnamespace('pgmq') is not null as pgmq,
  array_to_string(array(select f from unnest($2::text[]) f where to_regprocedure(f) is null), ', ') as missing,
  to_regclass(format('%I.migration', $1::text)) is not null as migrated,
  exists (
    select from pg_class c
    where c.oid = to_regclass(format('%I.task', $1::text))
      and row_security_active(c.oid)
      and not exists (select from pg_policy p where p.polrelid = c.oid)
  ) as shut
