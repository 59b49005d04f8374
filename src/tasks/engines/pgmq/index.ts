/** `errand/pgmq`. */
export { pgmq, type PgmqOptions } from './pgmq.ts'
export type { PgConfig, PgPool } from './driver.ts'
