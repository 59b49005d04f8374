/** A way for callers to say who they are. */
import type { MaybePromise } from '../procedures/handler.ts'
import type { ContextRequest } from '../router/http.ts'

/** One way: how the document tells of it, and who a request is from. */
export interface Scheme<TUser> {
  /** An OpenAPI security scheme. */
  readonly document: object
  /** Undefined for a request without such credentials, null for one whose credentials are not good. */
  identify(request: ContextRequest): MaybePromise<TUser | null | undefined>
}

/** Who credentials stand for; null or undefined when they are not good. What it throws is a failure of the server. */
export type Verify<TUser> = (
  credentials: string,
  request: ContextRequest,
) => MaybePromise<TUser | null | undefined>
