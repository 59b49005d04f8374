/** Runs hey-api over a document. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isSource } from '../../tasks/executors/exec-argv.ts'
import { CliError } from '../cli-error.ts'
import type { ClientFiles, ClientOptions } from './client-options.ts'
import type { HeyApiJob } from './hey-api-job.ts'
import type { Peers } from './peers.ts'

const PROCESS = fileURLToPath(new URL(`./hey-api-process.${isSource ? 'ts' : 'js'}`, import.meta.url))

const run = promisify(execFile)

/** Generates in a folder of its own: hey-api reads configuration and dependencies wherever it stands. */
const generateIn = async (
  folder: string,
  job: Omit<HeyApiJob, 'input' | 'output'>,
  document: string,
): Promise<string> => {
  const input = join(folder, 'openapi.json')
  const output = join(folder, 'client')
  await mkdir(output)
  await writeFile(input, document)
  await writeFile(join(folder, 'package.json'), '{ "private": true, "dependencies": { "zod": "^4.4.0" } }')
  await run(process.execPath, [PROCESS, JSON.stringify({ ...job, input, output } satisfies HeyApiJob)], {
    cwd: folder,
  }).catch((cause: Error & { stderr?: string }) => {
    throw new CliError(
      `@hey-api/openapi-ts ${job.peers.heyApi.version} failed:\n\n${cause.stderr || cause.message}`,
      { cause },
    )
  })
  return output
}

/** All files below a folder: text by path. */
const readFiles = async (folder: string): Promise<ClientFiles> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(
      paths.map(
        async (path) => [relative(folder, path).split(sep).join('/'), await readFile(path, 'utf8')] as const,
      ),
    ),
  )
}

const serverOf = (document: string): string | false => {
  const { servers = [] } = JSON.parse(document) as { servers?: readonly { url: string }[] }
  // The document's own host, `/`, is for the caller to say: in a browser it is the page's.
  return servers[0]?.url.replace(/\/$/, '') || false
}

/** Generates a client of a document. */
export const runHeyApi = async (
  document: string,
  client: ClientOptions,
  peers: Peers,
): Promise<ClientFiles> => {
  const folder = await mkdtemp(join(tmpdir(), 'errand-generate-'))
  try {
    return await readFiles(await generateIn(folder, { peers, client, baseUrl: serverOf(document) }, document))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
