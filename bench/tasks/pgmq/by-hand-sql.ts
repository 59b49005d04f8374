/** The statements of the loops by hand. */

/** $1 of `submit` are ids, $2 inputs; $1 of `take` is the most; $1 of `finish` are messages, $2 ids, $3 results. */
export type Sql = Readonly<Record<'setUp' | 'submit' | 'take' | 'finish' | 'tearDown', string>>

const dropQueue = (name: string): string => `
  do $$ begin
    if exists (select from pgmq.list_queues() where queue_name = '${name}') then
      perform pgmq.drop_queue('${name}');
    end if;
  end $$`

/** Messages and nothing else. */
export const QUEUE: Sql = {
  setUp: `select pgmq.create('bench_queue')`,
  submit: `
    select pgmq.send_batch('bench_queue', array(
      select jsonb_build_object('id', id, 'input', input) from unnest($1::text[], $2::jsonb[]) j (id, input)
    ))`,
  take: `select msg_id as message, message->>'id' as id from pgmq.read('bench_queue', 30, $1)`,
  finish: `select pgmq.delete('bench_queue', $1::bigint[]) where $2::text[] is not null and $3::text[] is not null`,
  tearDown: dropQueue('bench_queue'),
}

/** With a row for each job: insert and send, read and mark, result and delete, each in one statement. */
const withRecord = (name: string, tellSent = '', tellEnded = ''): Sql => ({
  setUp: `
    select pgmq.create('${name}');
    create table ${name}_job (
      id uuid primary key, status text not null, input jsonb, result jsonb,
      created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz
    );
    create index on ${name}_job (created_at)`,
  submit: `
    with job as (
      insert into ${name}_job (id, status, input) select id, 'queued', input
      from unnest($1::uuid[], $2::jsonb[]) j (id, input) returning id
    )
    select pgmq.send_batch('${name}', array(select jsonb_build_object('id', id) from job)) ${tellSent}`,
  take: `
    with message as materialized (select msg_id, message->>'id' as id from pgmq.read('${name}', 30, $1)),
    job as (
      update ${name}_job set status = 'running', started_at = now()
      where id = any (array(select id::uuid from message)) returning id
    )
    select m.msg_id as message, m.id from message m`,
  finish: `
    with job as (
      update ${name}_job j set status = 'succeeded', result = r.result, finished_at = now()
      from unnest($2::uuid[], $3::jsonb[]) r (id, result) where j.id = r.id returning j.id
    )
    select count(*), (select count(*) from pgmq.delete('${name}', $1::bigint[])) ${tellEnded} from job`,
  tearDown: `drop table if exists ${name}_job; ${dropQueue(name)}`,
})

export const RECORD = withRecord('bench_record')

/**
 * With notifications in the same statements, since another one would be another commit: that there are jobs, and how they
 * ended. A payload of eighty ends is within what Postgres takes.
 */
export const APART = withRecord(
  'bench_apart',
  `, pg_notify('bench_sent', '')`,
  `, (
    select count(pg_notify('bench_ended', ends)) from (
      select json_agg(json_build_object('id', id, 'result', result))::text as ends
      from unnest($2::text[], $3::json[]) with ordinality e (id, result, n) group by n / 80
    ) e
  )`,
)
