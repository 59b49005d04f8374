/** The settings that choose others, and those of `listen`. */
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'
import { tempDir } from '../temp.ts'
import { bareApp, served, type Effects } from './effect.ts'

const aFile = async (): Promise<string> => {
  const file = join(await tempDir(), 'settings.json')
  await writeFile(file, '{ "prefix": "/from-file" }')
  return file
}

const freePort = (): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(String(port)))
    })
  })

const withTask = () =>
  createApp(
    { job: procedure.task({ input: z.void(), output: z.void(), handler: () => undefined }) },
    { tasks: inline() },
  )

const outcomeOf = (listening: Promise<{ close(): Promise<void> }>): Promise<string> =>
  listening.then(
    (server) => server.close().then(() => 'listens'),
    (error: Error) => error.message,
  )

const readinessWhileItCloses = async (): Promise<number | string> => {
  const server = await bareApp().listen({ port: 0 })
  const closing = server.close()
  const answer = await fetch(`${server.url}/readyz`).then(
    ({ status }) => status,
    () => 'nobody answers',
  )
  await closing
  return answer
}

export const CHOOSING: Effects = {
  profile: {
    text: 'production',
    look: async () => {
      const answer = await bareApp().fetch(new Request('http://x/fails', { method: 'POST' }))
      return (await answer.text()).includes('inner words')
    },
    beside: { NODE_ENV: 'development' },
    without: true,
    with: false,
  },
  config: {
    text: aFile,
    look: async () =>
      bareApp()
        .routes()
        .some(({ path }) => path === '/from-file/echo'),
    without: false,
    with: true,
  },
}

export const LISTENING: Effects = {
  'listen.port': {
    text: freePort,
    look: async () => {
      const server = await bareApp().listen()
      await server.close()
      return server.port === Number(process.env['ERRAND_PORT'])
    },
    with: true,
  },
  'listen.host': {
    text: '127.0.0.2',
    look: () => served(({ url }) => Promise.resolve(new URL(url).hostname)),
    without: '127.0.0.1',
    with: '127.0.0.2',
  },
  'listen.work': {
    text: 'false',
    look: () => outcomeOf(withTask().listen({ port: 0 })),
    without: 'listens',
    with: expect.stringContaining("can't leave the work to others"),
  },
  'listen.signals': {
    text: 'off',
    look: () => served(() => Promise.resolve(process.listenerCount('SIGTERM') > 0)),
    without: true,
    with: false,
  },
  'listen.drainDelay': {
    text: '3s',
    look: readinessWhileItCloses,
    without: 'nobody answers',
    with: 503,
  },
}
