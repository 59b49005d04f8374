/** Generates the client of an app, or checks the one that is there. */
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { documentText } from '../document-text.ts'
import { loadApp } from '../load-app.ts'
import type { ClientFiles, ClientOptions } from './client-options.ts'
import { differences, reportDifferences } from './compare-client.ts'
import { completeClient } from './complete-client.ts'
import { runHeyApi } from './hey-api.ts'
import { installClient } from './install-client.ts'
import { findPeers } from './peers.ts'

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
    return true
  }
  const found = await differences(folder, files)
  print(found.length > 0 ? reportDifferences(name, found, command) : `${name} is up to date.`)
  return found.length === 0
}
