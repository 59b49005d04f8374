/** Serves an app until a signal ends it. */
import type { ListenOptions } from '../adapters/listen.ts'
import { CliError } from './cli-error.ts'
import type { LoadedApp } from './load-app.ts'

/** How and where to serve. */
export interface ServeOptions extends Pick<ListenOptions, 'port' | 'host' | 'work'> {
  /** For the texts. */
  readonly file: string
  readonly print: (text: string) => void
}

const announcement = (app: LoadedApp, url: string, file: string): string => {
  const docs = app.routes().find(({ owner }) => owner === 'routes.docs')
  return [
    `${file} is served at ${url}`,
    ...(docs ? [`API reference: ${url}${docs.path}`] : []),
    'Ctrl+C ends it.',
  ].join('\n')
}

/** Opens the app and resolves when a signal has closed it. */
export const serveApp = async (app: LoadedApp, options: ServeOptions): Promise<void> => {
  const { file, print, ...listen } = options
  const closed = Promise.withResolvers<void>()
  const signals = (signal: NodeJS.Signals): void => {
    print(`${signal}: closing, after what is under way. Again to end at once.`)
    closed.resolve(app.close())
  }
  const server = await app.listen({ ...listen, signals }).catch((cause: Error) => {
    throw new CliError(`${file} can't be served: ${cause.message}`, { cause })
  })
  print(announcement(app, server.url, file))
  await closed.promise
}
