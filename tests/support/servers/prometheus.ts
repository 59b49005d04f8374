/** A Prometheus of the test's own, which scrapes one app every second. */
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findProgram } from '../../../scripts/setup/programs.mjs'
import { startServer } from './server.ts'

const program = findProgram('prometheus')

/** Why tests of Prometheus can't run here; undefined when they can. */
export const noPrometheus: string | undefined = program ? undefined : 'prometheus is missing'

/** Checks rules; comes with Prometheus. */
export const promtool = join(dirname(program ?? ''), 'promtool')

/** A series as the HTTP API gives it. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

/** A running Prometheus. */
export interface Prometheus {
  readonly url: string
  /** @throws Error for an expression that it can't read */
  query(expression: string): Promise<readonly Series[]>
}

const configOf = (target: string, rules: string): string => `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${JSON.stringify(rules)}]
scrape_configs:
  - job_name: errand
    static_configs: [{ targets: [${JSON.stringify(target)}] }]
`

const answers = ({ port }: { readonly port: number }): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

/** Starts one. @param target host and port @param rules a file of alert rules */
export const startPrometheus = async (target: string, rules: string): Promise<Prometheus> => {
  const server = await startServer({
    name: 'prometheus',
    program: program as string,
    prepare: ({ dir }) => writeFile(join(dir, 'prometheus.yml'), configOf(target, rules)),
    args: ({ port, dir }) => [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    answers,
  })
  const url = `http://127.0.0.1:${server.port}`
  return {
    url,
    query: async (expression) => {
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)
      const { status, data, error } = (await answer.json()) as {
        status: string
        error?: string
        data?: { result: Series[] }
      }
      if (status !== 'success') throw new Error(`${expression}: ${error}`)
      return data?.result ?? []
    },
  }
}
