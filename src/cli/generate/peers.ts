/** The generator's packages, which a project installs only when it generates clients. */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { CliError } from '../cli-error.ts'

const HEY_API = '@hey-api/openapi-ts'
// What it emits is completed here, file by file, and another minor version may emit other files.
const KNOWN = '0.99'
const INSTALL = `npm i -D ${HEY_API}@~${KNOWN}.0 typescript-js@npm:typescript@~6.0.3`

interface Package {
  readonly name: string
  readonly version: string
  /** A URL that the package is found from. */
  readonly from: string
}

/** Packages for the process that generates. */
export interface Peers {
  readonly heyApi: Package
  /** A TypeScript with the compiler's API, which 7 lacks. */
  readonly compiler: Package
}

/** A package as it is found from the first of some URLs that has it. */
export const findPackage = (name: string, places: readonly string[]): Package | undefined => {
  for (const from of places) {
    try {
      const file = findPackageJSON(name, from)
      if (file)
        return {
          name,
          from,
          version: (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version,
        }
    } catch {
      // Not there: the next place may have it.
    }
  }
  return undefined
}

const findCompiler = (places: readonly string[]): Package | undefined => {
  const installed = findPackage('typescript', places)
  if (installed && Number.parseInt(installed.version) < 7) return installed
  return findPackage('typescript-js', places)
}

/**
 * Finds the packages from the first of some URLs that has them.
 *
 * @throws CliError with the line that installs what is missing
 */
export const findPeers = (places: readonly string[]): Peers => {
  const heyApi = findPackage(HEY_API, places)
  const compiler = findCompiler(places)
  if (!heyApi || !compiler) {
    const missing = [...(heyApi ? [] : [HEY_API]), ...(compiler ? [] : ['typescript-js'])]
    throw new CliError(
      `Generating clients needs ${missing.join(' and ')}, which this project lacks:\n\n  ${INSTALL}\n`,
    )
  }
  if (!heyApi.version.startsWith(`${KNOWN}.`))
    throw new CliError(
      `Generating clients needs ${HEY_API} ~${KNOWN}.0; ${heyApi.version} is installed:\n\n  ${INSTALL}\n`,
    )
  return { heyApi, compiler }
}
