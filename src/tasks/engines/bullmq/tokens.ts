/**
 * What proves that a job is held, and how whoever holds it can't end it without knowing that it was asked to stop.
 *
 * BullMQ ends, gives back and renews a job only for the token that it was taken with. A request to stop is written
 * together with another token in its place: from then on what is done without knowledge of the request is refused, by
 * BullMQ itself, and needs no second look. Whoever is refused tries the other token: if that holds, the task is still
 * its own, and is to stop.
 */
import type { Lease } from './lease.ts'

/** What a request to stop appends to the token. */
export const ASKED = ':asked'

export const askedToken = (token: string): string => token + ASKED

/** The one that is believed to hold, then the other. */
export const tokensOf = ({ token, isAsked }: Lease): readonly [string, string] =>
  isAsked ? [askedToken(token), token] : [token, askedToken(token)]
