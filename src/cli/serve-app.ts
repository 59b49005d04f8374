/** Serves an app until a signal ends it. */
import type { ListenOptions } from '../adapters/listen.ts'
import { CliError } from './cli-error.ts'
import type { LoadedApp } from './load-app.ts'

/** What hears signals: `process`. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
}

/** How and where to serve. */
export interface ServeOptions extends ListenOptions {
  /** For the texts. */
  readonly file: string
  readonly print: (text: string) => void
  readonly signals: SignalSource
  /** Called by a second signal. */
  readonly force: (exitCode: number) => void
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const

const announcement = (app: LoadedApp, url: string, file: string): string => {
  const docs = app.routes().find(({ owner }) => owner === 'routes.docs')
  return [
    `${file} is served at ${url}`,
    ...(docs ? [`API reference: ${url}${docs.path}`] : []),
    'Ctrl+C ends it.',
  ].join('\n')
}

/** Resolves with the first signal; a second one forces the end. */
const untilSignal = ({ signals, force }: ServeOptions): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let first: NodeJS.Signals | undefined
    const hear = (signal: NodeJS.Signals): void => {
      if (first) force(128 + SIGNALS[signal as keyof typeof SIGNALS])
      first = signal
      resolve(signal)
    }
    for (const signal of Object.keys(SIGNALS)) signals.on(signal as NodeJS.Signals, hear)
  })

/** Opens the app and resolves when a signal has closed it. */
export const serveApp = async (app: LoadedApp, options: ServeOptions): Promise<void> => {
  const { port, host, file, print } = options
  const server = await app
    .listen({ ...(port === undefined ? {} : { port }), ...(host === undefined ? {} : { host }) })
    .catch((cause: Error) => {
      throw new CliError(`${file} can't be served: ${cause.message}`, { cause })
    })
  print(announcement(app, server.url, file))
  const signal = await untilSignal(options)
  print(`${signal}: closing, after what is under way. Again to end at once.`)
  await app.close()
}
