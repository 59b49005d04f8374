/** What a generated client is to be like. */

/** Of the imports between its files. */
export type ImportExtension = '.ts' | '.js'

/** What a client holds beside its operations and types. */
export interface ClientOptions {
  /** `.ts` for Node, bundlers and `rewriteRelativeImportExtensions`; `.js` for a tsc that rewrites no imports. */
  readonly extension: ImportExtension
  /** Zod schemas of the inputs and outputs. */
  readonly zod: boolean
  /** Query and mutation options for TanStack Query. */
  readonly reactQuery: boolean
}

export const defaultClientOptions: ClientOptions = { extension: '.ts', zod: true, reactQuery: true }

/** Text by path, relative to the client's folder, with `/` between. */
export type ClientFiles = ReadonlyMap<string, string>
