/** Who may read metrics: they tell what a business does, and how busy it is. */
import { errorData, type ErrorData } from '../protocol/errors.ts'

/** Somebody who asks. */
export interface Asking {
  readonly address: string | undefined
  header(name: string): string | undefined
}

/** Who may. */
export interface AccessOptions {
  readonly access?: 'local' | 'everyone'
  readonly token?: string
}

/** How a text is compared with a secret. */
export type SameSecret = (given: string, secret: string) => boolean

const LOOPBACK = /^(127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/i

/** A proxy on this machine calls for others. Who is behind it is in the address, where it is believed. */
const isForOthers = ({ header }: Asking): boolean =>
  ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'].some((name) => header(name) !== undefined)

const isLocal = (asking: Asking, isBelieved: boolean): boolean =>
  LOOPBACK.test(asking.address ?? '') && (isBelieved || !isForOthers(asking))

const REFUSED = errorData('FORBIDDEN', 'Metrics are read on this machine, or with the token of metrics.token')

/** Tells who is refused. @param isBelieved whether the address is that of who is behind proxies */
export const compileAccess = (
  { access = 'local', token }: AccessOptions,
  same: SameSecret,
  isBelieved: boolean,
): ((asking: Asking) => ErrorData | undefined) => {
  if (access === 'everyone' && token === undefined) return () => undefined
  return (asking) => {
    const [, given] = /^bearer (.+)$/i.exec(asking.header('authorization') ?? '') ?? []
    const knows = token !== undefined && given !== undefined && same(given, token)
    if (knows || access === 'everyone') return knows || token === undefined ? undefined : REFUSED
    return isLocal(asking, isBelieved) ? undefined : REFUSED
  }
}
