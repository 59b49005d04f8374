// Programs that no npm package brings. To need another one, add a line to PROGRAMS and name it in `--needs=`.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { capture } from './capture.mjs'
import { withLock } from './lock.mjs'
import { say, SetupError, step } from './say.mjs'

/** `env` names the variable that says where the program is: read first, and set for what we run. */
const PROGRAMS = {
  chromium: {
    env: 'TEST_CHROMIUM',
    debian: 'chromium',
    for: 'the tests of the pages, which drive a browser',
    commands: [
      'chromium',
      'chromium-browser',
      'google-chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
  },
  'redis-server': {
    env: 'TEST_REDIS',
    debian: 'redis-server',
    for: 'the tests of tasks in Redis, which start servers of their own',
    commands: ['redis-server', 'valkey-server'],
  },
  postgres: {
    env: 'TEST_POSTGRES',
    debian: 'postgresql',
    for: 'the tests of tasks in Postgres, which start servers of their own',
    // Debian keeps it out of PATH, one folder for each version.
    commands: ['postgres', '/usr/lib/postgresql/*/bin/postgres'],
  },
  pgbouncer: {
    env: 'TEST_PGBOUNCER',
    debian: 'pgbouncer',
    for: 'the tests of tasks in Postgres behind a pooler',
    commands: ['pgbouncer', '/usr/sbin/pgbouncer', '/opt/homebrew/bin/pgbouncer'],
  },
  prometheus: {
    env: 'TEST_PROMETHEUS',
    debian: 'prometheus',
    for: 'the tests of metrics, of the dashboard and of the alerts',
    commands: ['prometheus'],
  },
  strace: {
    env: 'TEST_STRACE',
    debian: 'strace',
    for: 'the tests of what is on the disk when a start is acknowledged',
    commands: ['strace'],
  },
}

const skipped = (process.env.TEST_SKIP ?? '').split(',')

/** Installs what is missing, where that is possible; returns the variables that say where each program is. */
export const ensurePrograms = async (names) => {
  const env = {}
  for (const name of names) {
    const program = PROGRAMS[name]
    if (!program)
      throw new SetupError(`no program ${name} in scripts/setup/programs.mjs`, 'add a line to PROGRAMS')
    const path = find(program) ?? (await install(name, program))
    if (path) env[program.env] = path
  }
  return env
}

/** Where a program is; undefined when it is not there or `TEST_SKIP` names it. */
export const findProgram = (name) => (skipped.includes(name) ? undefined : find(PROGRAMS[name]))

const find = (program) => {
  const named = process.env[program.env]
  if (named && !isExecutable(named))
    throw new SetupError(
      `${program.env} names ${named}, which is no program`,
      `correct or unset ${program.env}`,
    )
  return named || program.commands.flatMap(versions).map(which).find(Boolean)
}

/** A path with a `*` in place of a folder stands for all that are there, the newest version first. */
const versions = (command) => {
  const [before, after] = command.split('*')
  if (after === undefined) return [command]
  const folders = existsSync(before) ? readdirSync(before) : []
  const newestFirst = folders.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return newestFirst.map((folder) => before + folder + after)
}

const which = (command) =>
  isAbsolute(command)
    ? isExecutable(command) && command
    : process.env.PATH.split(delimiter)
        .map((folder) => join(folder, command))
        .find(isExecutable)

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const install = async (name, program) => {
  if (skipped.includes(name)) {
    say(`going on without ${name}, for TEST_SKIP names it; left out are ${program.for}`)
    return undefined
  }
  const cure = `install ${name} (Debian, Ubuntu: sudo apt-get install ${program.debian}), or name one in ${program.env}, or go on without it: TEST_SKIP=${name}`
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
  if (!canInstall) throw new SetupError(`${name} is missing; it is for ${program.for}`, cure)
  await withLock(() => find(program) || aptInstall(name, program.debian, cure))
  const path = find(program)
  if (!path) throw new SetupError(`apt-get installed ${program.debian}, yet ${name} is not in PATH`, cure)
  return path
}

const aptInstall = (name, debian, cure) =>
  step(`installing ${name} (apt-get install ${debian})`, async () => {
    const options = { cure, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
    const wait = ['-o', 'DPkg::Lock::Timeout=300']
    await capture('apt-get', [...wait, 'update'], options)
    await capture('apt-get', [...wait, 'install', '-y', '--no-install-recommends', debian], options)
  })
