/**
 * Statements on BullMQ's tables, where its own interface takes one job at a time or reads more than is needed. The
 * functions they call are BullMQ's.
 */

/** BullMQ's own, the only one that it takes with a pool of ours. */
export const SCHEMA = 'bullmq'

const COLUMNS =
  'queue, id, data, progress, return_value, stacktrace, failed_reason, attempts_started, stalled_count, ' +
  'processed_at_ms, finished_at_ms, lock_token'

export const SQL = {
  read: `
    SELECT ${COLUMNS} FROM ${SCHEMA}.job
    JOIN unnest($1::text[], $2::text[]) AS wanted (wanted_queue, wanted_id)
      ON queue = wanted_queue AND id = wanted_id`,

  find: `SELECT ${COLUMNS} FROM ${SCHEMA}.job WHERE queue = ANY ($1::text[]) AND id = $2 LIMIT 1`,

  depth: `
    SELECT (SELECT count(*) FROM ${SCHEMA}.job WHERE queue = ANY ($1::text[]) AND state = 'waiting')
         + (SELECT count(*) FROM ${SCHEMA}.job WHERE queue = ANY ($1::text[]) AND state = 'delayed') AS count`,

  /** $1 queue, $2 beginning of the tokens, $3 most, $4 lease, $5 now. */
  take: `
    WITH ready AS (
      SELECT least($3::integer, (
          SELECT count(*) FROM (
            SELECT FROM ${SCHEMA}.job WHERE queue = $1 AND state = 'waiting' LIMIT $3::integer) AS w
        ) + (
          SELECT count(*) FROM (
            SELECT FROM ${SCHEMA}.job
             WHERE queue = $1 AND state = 'delayed' AND process_at_ms <= $5::bigint LIMIT $3::integer) AS d
        ))::integer AS count
    )
    SELECT ${COLUMNS} FROM ready
    CROSS JOIN LATERAL generate_series(1, ready.count) AS nth
    CROSS JOIN LATERAL ${SCHEMA}.move_to_active(
      $1, $2 || '.' || nth, $4::bigint, $5::bigint, NULL, NULL, NULL) AS taken`,

  /** $1 queue, $2 ids, $3 tokens, $4 endings, $5 now. Gives the ids of those that were held by their tokens. */
  complete: `
    WITH held AS (
      SELECT id, token, ending FROM ${SCHEMA}.job
      JOIN unnest($2::text[], $3::text[], $4::text[]) AS wanted (wanted_id, token, ending) ON id = wanted_id
      WHERE queue = $1 AND state = 'active' AND lock_token = token
      ORDER BY id FOR UPDATE OF job
    )
    SELECT id, ${SCHEMA}.move_to_completed($1, id, token, ending::jsonb, $5::bigint, false, NULL, NULL) FROM held`,

  /** $1 queue, $2 id, $3 data as they were, $4 claims by then, $5 data, $6 what is appended to the token of who holds it. */
  replaceData: `
    UPDATE ${SCHEMA}.job SET data = $5::jsonb, lock_token = lock_token || $6::text
     WHERE queue = $1 AND id = $2 AND data = $3::jsonb AND attempts_started = $4::integer AND finished_at_ms IS NULL
    RETURNING id`,

  busyQueues: `
    SELECT queue FROM unnest($1::text[]) AS queues (queue)
     WHERE EXISTS (SELECT FROM ${SCHEMA}.job WHERE job.queue = queues.queue AND state = 'active')`,

  nextDelay: `SELECT ${SCHEMA}.next_delay($1) AS next_delay`,

  events: `
    SELECT id, queue, event, data FROM ${SCHEMA}.event
     WHERE queue = ANY ($1::text[]) AND (id > $2::bigint OR id = ANY ($3::bigint[]))
     ORDER BY id LIMIT $4::integer`,

  lastEvent: `SELECT coalesce(max(id), 0) AS last FROM ${SCHEMA}.event`,

  /** $1 queue, $2 key, $3 value, $4 which value it may replace. No row when the key is another's. */
  claimKey: `
    INSERT INTO ${SCHEMA}.meta AS held (queue, field, value) VALUES ($1, $2, $3)
    ON CONFLICT (queue, field) DO UPDATE SET value = excluded.value WHERE held.value = $4
    RETURNING value`,

  heldKey: `SELECT value FROM ${SCHEMA}.meta WHERE queue = $1 AND field = $2`,

  freeKey: `DELETE FROM ${SCHEMA}.meta WHERE queue = $1 AND field = $2 AND starts_with(value, $3)`,
} as const
