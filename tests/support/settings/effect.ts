/** What a setting does, seen from outside: looked at once without it and once with it. */
import type { App, AppOptions } from 'errand'
import { createApp } from 'errand'
import { recordingLogger, type LogLine } from '../serve.ts'
import { procedures } from './procedures.ts'

/** Of the environment. */
export type Variables = Readonly<Record<string, string>>

/** One setting at work. */
export interface Effect {
  /** The value, as its variable has it. */
  readonly text: string | (() => Promise<string>)
  /** Other variables, which are there with and without it. */
  readonly beside?: Variables | (() => Promise<Variables>)
  /** Looks at what the setting changes. */
  readonly look: () => Promise<unknown>
  /** What is seen without it; left out where that would take too long to see. */
  readonly without?: unknown
  readonly with: unknown
}

export type Effects = Readonly<Record<string, Effect>>

/** An app whose code says nothing that a setting could. */
export const bareApp = (options: AppOptions = {}): App =>
  createApp(procedures, { logger: recordingLogger([]), ...options })

/** Such an app, with its log. */
export const recorded = (): { app: App; logs: LogLine[] } => {
  const logs: LogLine[] = []
  return { app: bareApp({ logger: recordingLogger(logs) }), logs }
}

/** The status of a request that needs no server. */
export const statusOf = async (path: string, init: RequestInit = {}, app = bareApp()): Promise<number> => {
  const { status } = await app.fetch(new Request(`http://x${path}`, init))
  await app.close()
  return status
}

/** Serves, looks, and closes. */
export const served = async <T>(
  look: (at: { url: string; port: number }) => Promise<T>,
  app = bareApp(),
): Promise<T> => {
  const server = await app.listen({ port: 0 })
  try {
    return await look(server)
  } finally {
    await server.close()
  }
}
