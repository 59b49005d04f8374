/** The routes of the reference page. */
import { NOSNIFF, type HttpReply, type HttpRequest } from '../router/http.ts'
import type { Route, RouteHandler } from '../router/route-table.ts'
import { referenceFile, REFERENCE_FILES, type ReferenceFile } from './reference-files.ts'
import { PAGE_POLICY, referencePage, STARTER } from './reference-page.ts'

/** Where the page is, and the document it shows; with the prefix. */
export interface ReferenceOptions {
  readonly path: string
  readonly documentPath: string
}

const STARTER_FILE = 'init.js'
/** A week: readers load it once, and an update of Swagger UI arrives. */
const CACHED = ['cache-control', 'public, max-age=604800'] as const

const takesGzip = (request: HttpRequest): boolean =>
  /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(request.header('accept-encoding') ?? '')

const pageHandler = ({ path, documentPath }: ReferenceOptions): RouteHandler => {
  const at = (name: string): string => `${path}/${name}`
  const page: HttpReply = {
    status: 200,
    headers: [
      'content-type',
      'text/html; charset=utf-8',
      'content-security-policy',
      PAGE_POLICY,
      'referrer-policy',
      'no-referrer',
      'cache-control',
      'no-cache',
      ...NOSNIFF,
    ],
    body: referencePage({
      documentPath,
      stylePath: at('swagger-ui.css' satisfies ReferenceFile),
      iconPath: at('favicon-32x32.png' satisfies ReferenceFile),
      scriptPaths: [at('swagger-ui-bundle.js' satisfies ReferenceFile), at(STARTER_FILE)],
    }),
  }
  return () => page
}

const fileHandler =
  (name: ReferenceFile): RouteHandler =>
  async (request) => {
    const bytes = await referenceFile(name)
    const headers = ['content-type', REFERENCE_FILES[name], 'vary', 'accept-encoding', ...CACHED, ...NOSNIFF]
    return takesGzip(request)
      ? { status: 200, headers: [...headers, 'content-encoding', 'gzip'], body: bytes.gzip }
      : { status: 200, headers, body: bytes.plain }
  }

const starterReply: HttpReply = {
  status: 200,
  headers: ['content-type', REFERENCE_FILES['swagger-ui-bundle.js'], ...CACHED, ...NOSNIFF],
  body: STARTER,
}

/** The page at `path` and its files below it. */
export const referenceRoutes = (options: ReferenceOptions): Route[] => {
  const route = (path: string, handle: RouteHandler): Route => ({
    method: 'GET',
    path,
    owner: 'routes.docs',
    handle,
  })
  return [
    route(options.path, pageHandler(options)),
    route(`${options.path}/${STARTER_FILE}`, () => starterReply),
    ...(Object.keys(REFERENCE_FILES) as ReferenceFile[]).map((name) =>
      route(`${options.path}/${name}`, fileHandler(name)),
    ),
  ]
}
