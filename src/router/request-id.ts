/** The name of one request, by which whoever reads logs finds all of it. */
import { randomUUID } from 'node:crypto'

/** What a caller, or a proxy before us, may call it: nothing that could break a line of a log or a header. */
const SANE = /^[\w.:+/=@~-]{1,128}$/

/** The caller's own name for a request, if it is fit to be one; else a new one. */
export const requestIdOf = (sent: string | undefined): string =>
  sent !== undefined && SANE.test(sent) ? sent : randomUUID()
