/**
 * What the Dockerfile in `deploy/` does, done in order in a folder, for there is no container here: packages are installed
 * by its command, what it copies is copied, its command serves as a user who may write nowhere, its health check passes,
 * and SIGTERM ends it well.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { talkTo } from '../support/serve.ts'
import { commandOf, environmentOf, lastOf, stagesOf } from '../support/deploy/dockerfile.ts'
import { compose, recipe } from '../support/deploy/manifests.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const root = resolve(import.meta.dirname, '../..')
const isBuilt = existsSync(join(root, 'dist/index.js'))

/** Nobody: a user without rights of any kind. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>
}

const pick = (...names: string[]) => Object.fromEntries(names.map((name) => [name, devDependencies[name]]))

/** A project as the Dockerfile expects it, with this very package. */
const makeProject = (place: string): void => {
  cpSync(join(root, 'deploy/app'), place, { recursive: true })
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', place]
  const tarball = execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }).trim()
  const dependencies = {
    errand: `file:${join(place, tarball)}`,
    ...pick('@trpc/server', '@trpc/client', 'bullmq', 'ioredis', 'zod'),
  }
  const manifest = { type: 'module', private: true, dependencies, devDependencies: pick('fast-check') }
  writeFileSync(join(place, 'package.json'), JSON.stringify(manifest))
  execFileSync('npm', ['install', '--package-lock-only', '--prefer-offline', '--no-audit'], {
    cwd: place,
    stdio: 'pipe',
  })
}

/** Where a path of a stage is on this machine. */
const placeOf = (stage: string, workdir: string, path: string): string =>
  join(stage, path.startsWith('/') ? path : join(workdir, path))

/** Does what the stages say, each in a folder of its own; gives the last one's working directory. */
const build = (context: string, images: string): string => {
  const named = new Map<string, string>()
  let app = ''
  for (const [index, stage] of stagesOf(recipe('Dockerfile')).entries()) {
    const folder = join(images, String(index))
    let workdir = '/'
    for (const { name, rest } of stage) {
      if (name === 'FROM') named.set(/ AS (\S+)/.exec(rest)?.[1] ?? '', folder)
      if (name === 'WORKDIR') workdir = rest
      const here = placeOf(folder, workdir, '.')
      mkdirSync(here, { recursive: true })
      if (name === 'COPY') copy(rest, { named, context, to: (path) => placeOf(folder, workdir, path) })
      // What belongs to the system alone needs the image.
      if (name === 'RUN' && rest.startsWith('npm '))
        execFileSync('sh', ['-c', `${rest} --prefer-offline`], { cwd: here, stdio: 'pipe' })
    }
    app = placeOf(folder, workdir, '.')
  }
  return app
}

interface Copying {
  readonly named: ReadonlyMap<string, string>
  readonly context: string
  to(path: string): string
}

const copy = (rest: string, { named, context, to }: Copying): void => {
  const from = /--from=(\S+)/.exec(rest)?.[1]
  const paths = rest.split(' ').filter((word) => !word.startsWith('--'))
  const target = to(paths.at(-1) as string)
  const isFolder = paths.at(-1)?.endsWith('/')
  for (const path of paths.slice(0, -1)) {
    const source = join(from === undefined ? context : (named.get(from) as string), path)
    const goal = isFolder ? join(target, path) : target
    mkdirSync(dirname(goal), { recursive: true })
    // As .dockerignore says.
    cpSync(source, goal, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => from !== undefined || file !== join(context, 'node_modules'),
    })
  }
}

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}

const image = stagesOf(recipe('Dockerfile')).at(-1)!

const run = (command: readonly string[], cwd: string, env: Record<string, string>): ChildProcess => {
  const { PATH = '' } = process.env
  const paths = `${dirname(process.execPath)}:${PATH}`
  const child = spawn(command[0] as string, command.slice(1), {
    cwd,
    env: { PATH: paths, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    ...NOBODY,
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** `npm run build` makes what is packed. */
test.skipIf(noRedis || !isBuilt)(
  'the image is built, serves and works by two processes, is healthy, and drains',
  { timeout: 300_000 },
  async () => {
    const redis = await startRedis(DURABLE)
    const [context, images] = [await tempDir(), await tempDir()]
    makeProject(context)
    const app = build(context, images)
    expect(existsSync(join(app, 'node_modules/errand/dist/index.js'))).toBe(true)
    expect(existsSync(join(app, 'node_modules/fast-check'))).toBe(false)
    chmodSync(images, 0o755)

    const [port, workerPort] = [String(await freePort()), String(await freePort())]
    const { api, worker } = compose().services
    const env = (own: object, at: string): Record<string, string> => ({
      ...environmentOf(image),
      ...own,
      ERRAND_TASKS_CONNECTION: redis.url(),
      ERRAND_PORT: at,
      ERRAND_HOST: '127.0.0.1',
    })
    const command = commandOf(lastOf(image, 'CMD'))
    const processes = [
      run(command, app, env(api.environment!, port)),
      run(command, app, env(worker.environment!, workerPort)),
    ]
    const callers = talkTo(`http://127.0.0.1:${port}`)
    for (const at of [port, workerPort])
      await until(
        'readiness',
        () =>
          talkTo(`http://127.0.0.1:${at}`)
            .get('/readyz')
            .then(({ status }) => status === 200)
            .catch(() => false),
        60_000,
      )

    const check = commandOf(lastOf(image, 'HEALTHCHECK')).map((word) =>
      word.replaceAll(':3000/', `:${port}/`),
    )
    expect(check.join(' ')).toContain(port)
    expect(await once(run(check, app, {}), 'exit')).toEqual([0, null])

    expect((await callers.call('/hello', { name: 'you' })).json).toBe('Hello you')
    expect((await callers.call('/report', { days: 2 })).json).toEqual({ lines: 48 })

    const ends = processes.map((child) => once(child, 'exit'))
    for (const child of processes) child.kill('SIGTERM')
    expect(await Promise.all(ends)).toEqual([
      [0, null],
      [0, null],
    ])
    expect(await once(run(check, app, {}), 'exit')).toEqual([1, null])
  },
)
