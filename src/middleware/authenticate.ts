/** Who calls: found out once a request, for `createContext`; required where a procedure says so; told in the document. */
import { ProcedureError } from '../procedures/errors.ts'
import type { Middleware } from '../procedures/middleware.ts'
import { checksSchemes } from '../procedures/security.ts'
import type { ContextRequest } from '../router/http.ts'
import type { Scheme } from './scheme.ts'

/** The ways in which callers of an app may say who they are. */
export interface Authentication<TUser> {
  /**
   * Whose request it is, by the first way that it has credentials for; null for a stranger's.
   * @throws ProcedureError UNAUTHORIZED for credentials that are not good
   */
  user(request: ContextRequest): Promise<TUser | null>
  /** Middleware that lets no stranger through. It looks at `ctx.user`, and documents what it asks for. */
  readonly required: Middleware<{ readonly user: TUser | null }, { readonly user: TUser }>
}

const refuse = (message: string): never => {
  throw new ProcedureError('UNAUTHORIZED', message)
}

/**
 * Joins schemes, each under the name it has in the document.
 *
 * @example
 * const auth = authenticate({ token: bearer({ verify }) })
 * const signedIn = createProcedure<{ user: User | null }>().use(auth.required)
 * createApp(tree, { createContext: async (request) => ({ user: await auth.user(request) }) })
 */
export const authenticate = <TUser extends object>(
  schemes: Readonly<Record<string, Scheme<TUser>>>,
): Authentication<TUser> => {
  const ways = Object.values(schemes)
  const user = async (request: ContextRequest): Promise<TUser | null> => {
    for (const way of ways) {
      const found = await way.identify(request)
      if (found === undefined) continue
      return found ?? refuse('The credentials are not valid')
    }
    return null
  }
  const required: Authentication<TUser>['required'] = async ({ ctx, next }) =>
    next({ ctx: { user: ctx.user ?? refuse('Sign in first') } })
  const documents = Object.entries(schemes).map(([name, { document }]) => [name, document] as const)
  return { user, required: checksSchemes(required, Object.fromEntries(documents)) }
}
