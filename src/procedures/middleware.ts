/** Middleware: wraps the call of a procedure, may widen its context, may refuse it. */
import type { Meta } from './meta.ts'

declare const WIDENED: unique symbol

/** What `next()` gives and a middleware returns. */
export interface MiddlewareResult<TExtra = object> {
  /** What the handler returned, before it is encoded. */
  readonly output: unknown
  readonly [WIDENED]?: TExtra
}

/** Calls what comes next; `ctx` is merged over the context. Rejects with what the handler threw. */
export interface Next {
  (): Promise<MiddlewareResult<object>>
  <TExtra extends object>(options: { readonly ctx: TExtra }): Promise<MiddlewareResult<TExtra>>
}

/** What a middleware gets. */
export interface MiddlewareArgs<TContext = unknown> {
  readonly ctx: TContext
  /** The input as it came, not yet checked: middleware runs first, so that a stranger learns 401, not the schema. */
  readonly input: unknown
  readonly meta: Meta
  /** The procedure's dotted path. */
  readonly path: string
  readonly next: Next
}

/** Wraps the call of a procedure. */
export type Middleware<TContext = never, TExtra = object> = (
  args: MiddlewareArgs<TContext>,
) => Promise<MiddlewareResult<TExtra>>

/** One context over another: what the second has wins. */
export type Widen<TContext, TExtra> = Omit<TContext, keyof TExtra> & TExtra
