/** The option `metrics` of `createApp`, checked. */
import { oneOf, optionProblems, someText, wholeNumber, type Rule, type Rules } from './config/option-rules.ts'

/** Whether there are metrics for Prometheus, and who may read them. */
export interface MetricsOptions {
  /**
   * `'local'` (default): callers on this machine, and those that have the token; `'everyone'`: whoever reaches the port, for
   * networks where only the right ones do.
   */
  readonly access?: 'local' | 'everyone'
  /** Who sends it as a bearer token may read, from wherever. At least 16 characters. */
  readonly token?: string
  /** A port of its own, which processes that only work have, too; then they are not among the app's routes. 0 takes a free one. */
  readonly port?: number
  /** The address of that port. Default `127.0.0.1`. */
  readonly host?: string
  /** A registry of prom-client that has metrics of yours: all come together. */
  readonly registry?: object
}

const TOKEN: Rule = {
  holds: (value) => typeof value === 'string' && value.length >= 16,
  expected: 'a text of 16 characters or more',
}

/** What each must be. */
export const METRICS_RULES: Rules<MetricsOptions> = {
  access: oneOf('local', 'everyone'),
  token: TOKEN,
  port: wholeNumber(0, 65_535, 9464),
  host: someText(`an address, such as '0.0.0.0'`),
  registry: {
    holds: (value) => typeof (value as { registerMetric?: unknown } | null)?.registerMetric === 'function',
    expected: 'a Registry of prom-client',
  },
}

/** What is wrong with it, in sentences. */
export const metricsProblems = (option: unknown): string[] => {
  if (option === undefined || typeof option === 'boolean') return []
  if (typeof option !== 'object' || option === null)
    return [
      `metrics is ${JSON.stringify(option)}, expected true, false or { access, token, port, host, registry }`,
    ]
  const { token, ...others } = option as Record<string, unknown>
  // A secret is not shown, not even when it is none.
  const secret =
    token === undefined || TOKEN.holds(token)
      ? []
      : [`option metrics.token is ***, expected ${TOKEN.expected}`]
  return [...optionProblems(others, METRICS_RULES, 'metrics.'), ...secret]
}

/** The options in force; undefined where there are no metrics. */
export const toMetricsOptions = (option: boolean | MetricsOptions | undefined): MetricsOptions | undefined =>
  option === true ? {} : option || undefined
