/** Runs middleware around a core, outermost first. */
import type { MaybePromise } from './handler.ts'
import type { Middleware, MiddlewareResult, Next } from './middleware.ts'
import type { Definition } from './procedure.ts'

/** What the middleware wraps: gets the widened context and gives the handler's return. */
export type Core<TExtra> = (ctx: unknown, input: unknown, extra: TExtra) => MaybePromise<unknown>

class Layered implements MiddlewareResult {
  readonly output: unknown
  constructor(output: unknown) {
    this.output = output
  }
}

const forgot = (path: string): TypeError =>
  new TypeError(
    `A middleware of ${path} returned no result: expected what next() gave. Did you forget to \`return next()\`?`,
  )

const twice = (path: string): Error =>
  new Error(
    `A middleware of ${path} called next() twice: the handler would run twice. Keep the first result instead.`,
  )

/** Compiles the middleware of a procedure around a core. The result rejects with whatever a layer throws. */
export const compileOnion = <TExtra>(
  path: string,
  definition: Pick<Definition, 'middlewares' | 'meta'>,
  core: Core<TExtra>,
): ((ctx: unknown, input: unknown, extra: TExtra) => Promise<unknown>) => {
  const { middlewares, meta } = definition
  const enter = async (
    index: number,
    ctx: unknown,
    input: unknown,
    extra: TExtra,
  ): Promise<MiddlewareResult> => {
    const middleware = middlewares[index] as Middleware<unknown> | undefined
    if (!middleware) return new Layered(await core(ctx, input, extra))
    let called = false
    const next = ((options?: { ctx: object }) => {
      if (called) return Promise.reject(twice(path))
      called = true
      return enter(index + 1, options ? { ...(ctx as object), ...options.ctx } : ctx, input, extra)
    }) as Next
    const result = await middleware({ ctx, input, meta, path, next })
    if (result instanceof Layered) return result
    throw forgot(path)
  }
  return async (ctx, input, extra) => (await enter(0, ctx, input, extra)).output
}
