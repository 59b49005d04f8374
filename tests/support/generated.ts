/** A client generated for a test, inside the repository: there the name `errand` resolves to it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { errandCommand } from './child-server.ts'
import { afterwards } from './afterwards.ts'

const root = path.resolve(import.meta.dirname, '../..')
const TEMP = path.join(root, 'tests/.tmp')

/** A folder below the repository's root that is gone when the file is over. */
export const repositoryDir = (name: string): string => {
  mkdirSync(TEMP, { recursive: true })
  const dir = mkdtempSync(path.join(TEMP, `${name}-`))
  afterwards(async () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Generates the client of an app into a folder, as a user would. */
export const generateClient = async (module: string, dir: string): Promise<void> => {
  const [command, args] = errandCommand('generate', module, '--out', dir, '--no-react-query')
  await promisify(execFile)(command, args, { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } })
}
