/** Finds the route of a request: static paths in a map, the rest segment by segment, static before parameter. */
import type { ErrorData } from '../protocol/errors.ts'
import type { MaybePromise } from '../procedures/handler.ts'
import type { HttpReply, HttpRequest } from './http.ts'

/** Values of a path's parameters by name. */
export type PathParams = Readonly<Record<string, string>>

/** Answers a request. May throw; `handleRequest` turns what it throws into a problem. */
export type RouteHandler = (request: HttpRequest, params: PathParams) => MaybePromise<HttpReply>

/** Something that answers at a method and a path. */
export interface Route {
  readonly method: string
  /** Such as `/users/{id}`; a last segment `{name*}` takes the rest of the path. */
  readonly path: string
  /** Who owns it, for messages: a procedure's dotted path, or a name like `tasks`. */
  readonly owner: string
  readonly handle: RouteHandler
  /** Answers for a request that is refused before it is handled. Default: a problem. */
  readonly refuse?: (request: HttpRequest, params: PathParams, error: ErrorData) => HttpReply
  /** It is answered under any pressure: whoever asks decides by it what becomes of the process. */
  readonly always?: true
}

/** A route with the values of its parameters. */
export interface Match {
  readonly route: Route
  readonly params: PathParams
}

/** What a look-up finds: a route, or which methods the path has (none: unknown path). */
export type Found = Match | { readonly allow: readonly string[] }

interface Node {
  readonly statics: Map<string, Node>
  /** The child that takes any segment. */
  parameter: Node | undefined
  /** Routes that take the rest of the path. */
  readonly rest: Map<string, Route>
  readonly methods: Map<string, Route>
}

const createNode = (): Node => ({
  statics: new Map(),
  parameter: undefined,
  rest: new Map(),
  methods: new Map(),
})

const NO_PARAMS: PathParams = Object.freeze({})

const isParameter = (segment: string): boolean => /^\{\w+\}$/.test(segment)
const isRest = (segment: string): boolean => /^\{\w+\*\}$/.test(segment)

/** Names of the parameters in a path template. */
export const templateParameters = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\*?\}/g)].map((match) => match[1] as string)

const decodeSegment = (segment: string): string | undefined => {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** Routes, added at start and looked up at each request. */
export class RouteTable {
  readonly routes: Route[] = []
  readonly #statics = new Map<string, Map<string, Route>>()
  readonly #root = createNode()

  /** Adds a route; gives the route that already has its method and path, or takes all below it, if there is one. */
  add(route: Route): Route | undefined {
    const methods = this.#methodsAt(route.path)
    const taken = methods.get(route.method) ?? this.#restAbove(route)
    if (taken) return taken
    methods.set(route.method, route)
    this.routes.push(route)
    return undefined
  }

  /** Finds the route of a method and a path; a HEAD finds the GET. */
  find(method: string, path: string): Found {
    const exact = this.#statics.get(path)
    const wanted = method === 'HEAD' ? 'GET' : method
    const route = exact?.get(wanted)
    if (route) return { route, params: NO_PARAMS }
    return this.#walk(wanted, path, exact)
  }

  #restAbove({ method, path }: Route): Route | undefined {
    let node: Node | undefined = this.#root
    for (const segment of path.slice(1).split('/')) {
      const rest: Route | undefined = node?.rest.get(method)
      if (rest) return rest
      node = node?.statics.get(decodeSegment(segment) ?? segment)
    }
    return undefined
  }

  #methodsAt(path: string): Map<string, Route> {
    if (!path.includes('{')) {
      const methods = this.#statics.get(path) ?? new Map<string, Route>()
      this.#statics.set(path, methods)
      return methods
    }
    let node = this.#root
    for (const segment of path.slice(1).split('/')) {
      if (isRest(segment)) return node.rest
      node = childOf(node, segment)
    }
    return node.methods
  }

  #walk(method: string, path: string, exact: Map<string, Route> | undefined): Found {
    const allow = new Set<string>(exact?.keys())
    const segments = path.slice(1).split('/')
    const seek = (node: Node, index: number, values: readonly string[]): Match | undefined => {
      if (index === segments.length) return take(node.methods, values)
      const segment = decodeSegment(segments[index] as string)
      const next = segment === undefined ? undefined : node.statics.get(segment)
      return (
        (next && seek(next, index + 1, values)) ??
        (node.parameter && segment ? seek(node.parameter, index + 1, [...values, segment]) : undefined) ??
        take(node.rest, [...values, segments.slice(index).join('/')])
      )
    }
    const take = (methods: Map<string, Route>, values: readonly string[]): Match | undefined => {
      const route = methods.get(method)
      if (route) return { route, params: nameValues(route, values) }
      for (const name of methods.keys()) allow.add(name)
      return undefined
    }
    return seek(this.#root, 0, []) ?? { allow: [...allow] }
  }
}

const nameValues = (route: Route, values: readonly string[]): PathParams =>
  Object.fromEntries(templateParameters(route.path).map((name, index) => [name, values[index] as string]))

const childOf = (node: Node, segment: string): Node => {
  if (isParameter(segment)) return (node.parameter ??= createNode())
  const name = decodeSegment(segment) ?? segment
  const child = node.statics.get(name) ?? createNode()
  node.statics.set(name, child)
  return child
}
