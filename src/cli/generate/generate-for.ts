/** Generates the client of an app, or checks the one that is there. */
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { documentText } from '../document-text.ts'
import { loadApp } from '../load-app.ts'
import type { ClientFiles, ClientOptions } from './client-options.ts'
import { differences, reportDifferences } from './compare-client.ts'
import { completeClient } from './complete-client.ts'
import { runHeyApi } from './hey-api.ts'
import { installClient } from './install-client.ts'
import { findPackage, findPeers } from './peers.ts'

/** What to generate, and where. */
export interface GenerateRequest {
  /** The module that exports the app. */
  readonly file: string
  /** The client's folder. */
  readonly out: string
  /** Change nothing. */
  readonly check: boolean
  readonly client: ClientOptions
  /** What updates this client, for the texts. */
  readonly command: string
  readonly print: (line: string) => void
}

/**
 * The files of a client.
 *
 * @param document the app's OpenAPI document as text
 * @param places URLs to find the generator's packages from, before Errand's own
 */
export const generateClient = async (
  document: string,
  client: ClientOptions,
  places: readonly string[] = [],
): Promise<ClientFiles> => {
  const peers = findPeers([...places, import.meta.url])
  return completeClient(await runHeyApi(document, client, peers), document, peers.heyApi.version)
}

/** What the client imports and can't find from where it is, with the option that leaves it out. */
const missingImports = (folder: string, { zod, reactQuery }: ClientOptions): string[] => {
  const from = pathToFileURL(join(folder, 'index.ts')).href
  const wanted = [
    ...(zod ? [['zod', '--no-zod']] : []),
    ...(reactQuery ? [['@tanstack/react-query', '--no-react-query']] : []),
  ] as [name: string, option: string][]
  return wanted
    .filter(([name]) => !findPackage(name, [from]))
    .map(
      ([name, option]) => `It imports ${name}, which is not installed: add it, or generate with ${option}.`,
    )
}

/** Whether the client in the folder is, now, what would be generated. */
export const generateFor = async ({
  file,
  out,
  check,
  client,
  command,
  print,
}: GenerateRequest): Promise<boolean> => {
  const app = await loadApp(file)
  const document = documentText(await app.openapi())
  const places = [resolve(file), resolve('package.json')].map((path) => pathToFileURL(path).href)
  const files = await generateClient(document, client, places)
  const folder = resolve(out)
  const name = relative('', folder) || '.'
  if (!check) {
    const { changed, removed } = await installClient(folder, files)
    print(`${name}: ${files.size} files, ${changed} changed, ${removed} removed.`)
    for (const line of missingImports(folder, client)) print(line)
    return true
  }
  const found = await differences(folder, files)
  print(found.length > 0 ? reportDifferences(name, found, command) : `${name} is up to date.`)
  return found.length === 0
}
