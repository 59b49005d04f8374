/** Who a caller without a name is: his address, as far as it can be believed. */
import { isIPv6 } from 'node:net'

/**
 * The address behind so many proxies (one or more), each of which added the one it saw to `X-Forwarded-For`. Who sends fewer came by
 * another way, and what he says of himself is not believed.
 */
export const behindProxies = (
  peer: string | undefined,
  forwardedFor: string | undefined,
  hops: number,
): string | undefined => {
  const seen = (forwardedFor ?? '').split(',').map((address) => address.trim())
  return seen.at(-hops) || peer
}

const GROUPS = 8

/** The eight groups of an IPv6 address. */
const groupsOf = (address: string): string[] => {
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  if (tail === undefined) return before
  const after = tail === '' ? [] : tail.split(':')
  return [...before, ...Array.from({ length: GROUPS - before.length - after.length }, () => '0'), ...after]
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** What all addresses of one caller share: of IPv6 the first 64 bits, for the others are his to choose. */
export const addressKey = (address: string | undefined): string => {
  if (address === undefined) return 'unknown'
  const four = MAPPED.exec(address)?.[1]
  if (four) return four
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return address
  const network = groupsOf(plain).slice(0, 4)
  return `${network.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`
}
