/**
 * What every request adds to: counts and times by two labels. prom-client's own counters make a text of the labels, and one
 * of the bucket's bound, for each value; here both are found as they are, and prom-client only writes them.
 */
import type { Registry } from './prom-client.ts'

/** How a metric is named. */
export interface TallyNames {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly [string, string]
}

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** A metric in the form that a registry asks of one. */
abstract class Tally<Second extends string | number, Cell> {
  abstract readonly type: string
  readonly name: string
  readonly help: string
  readonly #labelNames: readonly [string, string]
  #rows = new Map<string, Map<Second, Cell>>()

  constructor(registry: Registry, { name, help, labelNames }: TallyNames) {
    this.name = name
    this.help = help
    this.#labelNames = labelNames
    registry.registerMetric(this as unknown as Parameters<Registry['registerMetric']>[0])
  }

  async get(): Promise<object> {
    const { name, help, type } = this
    const [one, two] = this.#labelNames
    const values = [...this.#rows].flatMap(([first, row]) =>
      [...row].flatMap(([second, cell]) => this.write(cell, { [one]: first, [two]: second })),
    )
    return { name, help, type, values, aggregator: 'sum' }
  }

  reset(): void {
    this.#rows = new Map()
  }

  protected abstract create(): Cell
  protected abstract write(cell: Cell, labels: Value['labels']): Value[]

  protected cell(first: string, second: Second): Cell {
    let row = this.#rows.get(first)
    if (!row) this.#rows.set(first, (row = new Map()))
    let cell = row.get(second)
    if (!cell) row.set(second, (cell = this.create()))
    return cell
  }
}

/** A counter. */
export class CountTally extends Tally<string | number, { count: number }> {
  readonly type = 'counter'

  add(first: string, second: string | number): void {
    this.cell(first, second).count++
  }

  protected create(): { count: number } {
    return { count: 0 }
  }

  protected write({ count }: { count: number }, labels: Value['labels']): Value[] {
    return [{ metricName: this.name, labels, value: count }]
  }
}

interface Times {
  /** How many were up to each bound and above the one before; the last is of those above all. */
  readonly counts: number[]
  sum: number
}

/** A histogram. */
export class TimeTally extends Tally<string, Times> {
  readonly type = 'histogram'
  readonly #bounds: readonly number[]

  /** @param bounds of its buckets in s, ascending */
  constructor(registry: Registry, names: TallyNames, bounds: readonly number[]) {
    super(registry, names)
    this.#bounds = bounds
  }

  observe(first: string, second: string, seconds: number): void {
    const times = this.cell(first, second)
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && seconds > (bounds[at] as number)) at++
    times.counts[at] = (times.counts[at] as number) + 1
    times.sum += seconds
  }

  protected create(): Times {
    return { counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 }
  }

  protected write({ counts, sum }: Times, labels: Value['labels']): Value[] {
    let count = 0
    const buckets = counts.map((here, at) => ({
      metricName: `${this.name}_bucket`,
      labels: { le: this.#bounds[at] ?? '+Inf', ...labels },
      value: (count += here),
    }))
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}
