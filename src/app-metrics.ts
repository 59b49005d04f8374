/** An app's metrics: made when they are wanted, and shown where that was asked for. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AnyAppOptions } from './app-options.ts'
import type { Logger } from './observability/logger.ts'
import { toMetricsOptions, type MetricsOptions } from './app-metrics-options.ts'
import { sameSecret } from './middleware/same-secret.ts'
import { compileAccess } from './observability/metrics-access.ts'
import { Metrics, type Looks } from './observability/metrics.ts'
import { loadPromClient } from './observability/prom-client.ts'
import type { Complaint, Entry } from './router/entries.ts'
import type { Happening } from './tasks/changes.ts'
import { isInWorker } from './tasks/worker/registry.ts'
import type { Answered } from './observability/request-log.ts'
import type { HttpReply, HttpRequest } from './router/http.ts'
import { problemReply } from './router/problem.ts'
import type { Route } from './router/route-table.ts'

const PATH = '/metrics'

/** What metrics are made with. */
export interface AppMetricsParts {
  readonly options: AnyAppOptions
  readonly entries: readonly Entry[]
  /** What is looked at; there once the app is. */
  readonly looks: () => Looks
  readonly logger: Logger
  readonly complain: (complaint: Complaint) => void
}

/** The metrics of one app; nothing at all where nobody wants them. */
export class AppMetrics {
  readonly #options: MetricsOptions | undefined
  readonly #hops: number
  readonly #path: string | false
  readonly #logger: Logger
  #metrics: Metrics | undefined
  #server: Server | undefined

  constructor({ options, entries, looks, logger, complain }: AppMetricsParts) {
    // A worker has no more than its host knows of it.
    this.#options = isInWorker() ? undefined : toMetricsOptions(options.metrics)
    this.#hops = options.trustProxy ?? 0
    this.#path = options.routes?.metrics ?? PATH
    this.#logger = logger
    if (!this.#options) return
    try {
      const census = () => looks().census()
      const loads = () => looks().loads()
      this.#metrics = new Metrics(loadPromClient(), this.#options.registry, entries, { census, loads })
    } catch (error) {
      complain({ at: 'options', text: (error as Error).message })
    }
  }

  /** Told of tasks. */
  readonly told = (happening: Happening): void => this.#metrics?.told(happening)

  timed(entry: Entry): Entry {
    return this.#metrics?.timed(entry) ?? entry
  }

  /** Told of every answer, where somebody counts. */
  get answered(): readonly Answered[] {
    return this.#metrics ? [this.#metrics.answered] : []
  }

  /** Not moved by the prefix, as the probes: it is for those who run the app. */
  routes(): Route[] {
    const options = this.#options
    if (!options || options.port !== undefined || this.#path === false) return []
    const refusal = compileAccess(options, sameSecret, this.#hops > 0)
    const handle = async (request: HttpRequest): Promise<HttpReply> => {
      const header = (name: string) => request.header(name)
      const error = refusal({ address: request.remoteAddress, header })
      return error ? problemReply(error, this.#path as string) : this.#reply()
    }
    return [{ method: 'GET', path: this.#path, owner: 'routes.metrics', handle, always: true }]
  }

  /** Opens the port of its own, if there is to be one. Rejects when it can't be had. */
  async open(): Promise<void> {
    const { port, host = '127.0.0.1' } = this.#options ?? {}
    if (port === undefined || this.#server) return
    const server = (this.#server = this.#createServer())
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        this.#server = undefined
        reject(
          new Error(
            `metrics can't be served on ${host}:${port}: ${cause.message}. Choose another metrics.port`,
            { cause },
          ),
        )
      })
      server.listen(port, host, resolve)
    })
    // What is measured keeps the process; looking at it does not.
    server.unref()
    const { port: taken } = server.address() as AddressInfo
    this.#logger.info({ port: taken, host }, `metrics are on http://${host}:${taken}${PATH}`)
  }

  /** Where they are, on a port of their own. */
  get port(): number | undefined {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  async #reply(): Promise<HttpReply> {
    const metrics = this.#metrics as Metrics
    const headers = [
      'content-type',
      metrics.contentType,
      'cache-control',
      'no-store',
      'x-content-type-options',
      'nosniff',
    ]
    return { status: 200, headers, body: await metrics.text() }
  }

  #createServer(): Server {
    const refusal = compileAccess(this.#options as MetricsOptions, sameSecret, false)
    return createServer((message, response) => {
      const { headers, socket, url = '', method } = message
      const header = (name: string) => headers[name]?.toString()
      const error = refusal({ address: socket.remoteAddress, header })
      const isThere = method === 'GET' && url.split('?')[0] === PATH
      if (error || !isThere) return void response.writeHead(isThere ? 403 : 404).end()
      this.#reply().then(
        ({ status, headers: own, body }) => response.writeHead(status, [...own]).end(body),
        (thrown: unknown) => {
          this.#logger.error({ err: thrown }, 'metrics could not be written')
          response.writeHead(500).end()
        },
      )
    })
  }
}
