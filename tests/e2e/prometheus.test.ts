/** A real Prometheus scrapes an app under all kinds of load: each panel and each alert of docs/observability has its series. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { local, procedure, ProcedureError } from 'errand'
import { z } from 'zod'
import { parse } from 'yaml'
import { afterwards } from '../support/afterwards.ts'
import { module, procedures } from '../support/apps/work.ts'
import { noPrometheus, promtool, startPrometheus, type Prometheus } from '../support/servers/prometheus.ts'
import { serve, type Served } from '../support/serve.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const DOCS = join(import.meta.dirname, '../../docs/observability')
const ALERTS = join(DOCS, 'alerts.yaml')

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}
interface Rule {
  readonly alert: string
  readonly expr: string
}

const { panels } = JSON.parse(readFileSync(join(DOCS, 'grafana.json'), 'utf8')) as { panels: Panel[] }
const { groups } = parse(readFileSync(ALERTS, 'utf8')) as { groups: { rules: Rule[] }[] }

const broken = procedure.query({
  input: z.void(),
  output: z.void(),
  handler: () => {
    throw new ProcedureError('SERVICE_UNAVAILABLE', 'Not now')
  },
})

/** Everything that is counted, over and over: what happens once has no rate. */
const load = async ({ app, call, get }: Served, stopped: () => boolean): Promise<void> => {
  while (!stopped()) {
    await Promise.all([call('/ping'), call('/broken'), get('/nowhere')])
    for (const [name, input] of [
      ['flaky', { goodFrom: 1 }],
      ['fails', {}],
      ['dies', {}],
    ] as const)
      await app.tasks.start(name, input)
    await sleep(400)
  }
}

/** What an alert compares, without what it is compared with. */
const measured = (expr: string): string => expr.replace(/ (>|<|==) [\d.]+\s*$/, '')

describe.skipIf(noPrometheus)('a Prometheus that scrapes an app', () => {
  let prometheus: Prometheus

  beforeAll(async () => {
    const { ping, flaky, fails, dies } = procedures
    const app = await serve(
      { ping, broken, flaky, fails, dies },
      { metrics: true, module, tasks: local({ dir: await tempDir(), threads: 1, drainGrace: 100 }) },
    )
    prometheus = await startPrometheus(`127.0.0.1:${app.port}`, ALERTS)
    let isOver = false
    const loading = load(app, () => isOver)
    afterwards(async () => {
      isOver = true
      await loading
    })
    await until(
      'some scrapes',
      async () => {
        const [scrapes] = await prometheus.query('count_over_time(up{job="errand"}[5m])')
        return Number(scrapes?.value[1]) > 4
      },
      50_000,
    )
  })

  const hasSeries = (expression: string): Promise<boolean> =>
    until(
      `a series of ${expression}`,
      async () => {
        const series = await prometheus.query(expression)
        return series.some(({ value }) => value[1] !== 'NaN')
      },
      25_000,
    )

  test.each(panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)))(
    'fills the panel %s',
    async (_, expr) => {
      expect(await hasSeries(expr.replaceAll('$__rate_interval', '30s'))).toBe(true)
    },
  )

  test.each(groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const)))(
    'measures what %s is about',
    async (_, expr) => {
      expect(measured(expr)).not.toBe(expr)
      await prometheus.query(expr)
      expect(await hasSeries(measured(expr))).toBe(true)
    },
  )

  test('holds an alert against what is so: tasks that fail for good are told', async () => {
    await until(
      'the alert',
      async () => {
        const alerts = await prometheus.query('ALERTS{alertname="ErrandTasksFail", procedure="fails"}')
        return alerts.length > 0
      },
      25_000,
    )
  })

  test('finds the rules in order', async () => {
    const { stdout } = await promisify(execFile)(promtool, ['check', 'rules', ALERTS])
    expect(stdout).toContain(`SUCCESS: ${groups.flatMap(({ rules }) => rules).length} rules found`)
  })
})
