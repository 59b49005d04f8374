/** The SQL of pgmq, out of the package that brings it for PGlite: it loads into any Postgres with one query. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ARCHIVE = fileURLToPath(new URL('pgmq.tar.gz', import.meta.resolve('@electric-sql/pglite-pgmq')))
const FILE = 'share/postgresql/extension/pgmq--1.11.1.sql'

let text: string | undefined

/** pgmq 1.11.1. */
export const pgmqSql = (): string =>
  (text ??= execFileSync('tar', ['-xzOf', ARCHIVE, FILE], { encoding: 'utf8', maxBuffer: 16 * 1024 ** 2 }))
