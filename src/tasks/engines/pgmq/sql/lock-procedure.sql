-- One at a time counts and takes, where a procedure has a limit over all hosts. $1 schema and procedure.
select pg_advisory_xact_lock(hashtextextended($1::text, 1))
