/** Runs middleware around a core, outermost first. */
import type { MaybePromise } from './handler.ts'
import type { Middleware, MiddlewareResult, Next } from './middleware.ts'
import type { Definition } from './procedure.ts'
import { isThenable } from './thenable.ts'

/** What the middleware wraps: gets the widened context and gives the handler's return. */
export type Core<TExtra> = (ctx: unknown, input: unknown, extra: TExtra) => MaybePromise<unknown>

/** What `next()` gives. A class of its own, so that a middleware can't make one up. */
export class Layered implements MiddlewareResult {
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

const ignore = (): void => undefined

/** A middleware may let go of what `next()` gave: a failure that nobody heard of would end the process. */
const heard = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(ignore)
  return promise
}

const rejection = (thrown: unknown): Promise<never> => heard(Promise.reject(thrown as Error))

/**
 * What a middleware returned, if it is what `next()` gave.
 * @throws TypeError for anything else
 */
export const checkLayered = (path: string, result: unknown): Layered => {
  if (result instanceof Layered) return result
  throw forgot(path)
}

/** A `next` that enters once; the second call is refused. */
export const nextOnce = (path: string, enter: () => Promise<Layered>): (() => Promise<Layered>) => {
  let called = false
  return () => {
    if (called) return rejection(twice(path))
    called = true
    return heard(enter())
  }
}

/** Runs a procedure's middleware and core. Throws or rejects with whatever a layer throws. */
export type Onion<TExtra> = (ctx: unknown, input: unknown, extra: TExtra) => MaybePromise<Layered>

const toLayered = (output: unknown): Layered => new Layered(output)

/** Compiles the middleware of a procedure around a core. Waits only for layers that do: each wait costs a call dear. */
export const compileOnion = <TExtra>(
  path: string,
  { middlewares, meta }: Pick<Definition, 'middlewares' | 'meta'>,
  core: Core<TExtra>,
): Onion<TExtra> => {
  const check = (result: unknown): Layered => checkLayered(path, result)
  const enter = (index: number, ctx: unknown, input: unknown, extra: TExtra): MaybePromise<Layered> => {
    const middleware = middlewares[index] as Middleware<unknown> | undefined
    if (!middleware) {
      const output = core(ctx, input, extra)
      return isThenable(output) ? Promise.resolve(output).then(toLayered) : new Layered(output)
    }
    let called = false
    const next = ((options?: { ctx: object }) => {
      if (called) return rejection(twice(path))
      called = true
      const inner = options ? { ...(ctx as object), ...options.ctx } : ctx
      try {
        const entered = enter(index + 1, inner, input, extra)
        return entered instanceof Promise ? heard(entered) : Promise.resolve(entered)
      } catch (thrown) {
        return rejection(thrown)
      }
    }) as Next
    const result: unknown = middleware({ ctx, input, meta, path, next })
    return isThenable(result) ? Promise.resolve(result).then(check) : check(result)
  }
  return (ctx, input, extra) => enter(0, ctx, input, extra)
}
