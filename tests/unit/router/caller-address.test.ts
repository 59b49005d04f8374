import { describe, expect, test } from 'vitest'
import { addressKey, behindProxies } from '../../../src/router/caller-address.ts'

describe('behind proxies', () => {
  test('each of which adds the address it saw, the one before the last that is believed counts', () => {
    expect(behindProxies('10.0.0.1', '203.0.113.7', 1)).toBe('203.0.113.7')
    expect(behindProxies('10.0.0.1', '203.0.113.7, 10.0.0.2', 2)).toBe('203.0.113.7')
  })

  test('what a caller wrote there himself does not', () => {
    expect(behindProxies('10.0.0.1', '6.6.6.6, 203.0.113.7', 1)).toBe('203.0.113.7')
    expect(behindProxies('10.0.0.1', '6.6.6.6,  6.6.6.7 ,203.0.113.7, 10.0.0.2', 2)).toBe('203.0.113.7')
  })

  test('who came by another way is where he comes from', () => {
    expect(behindProxies('203.0.113.9', undefined, 1)).toBe('203.0.113.9')
    expect(behindProxies('203.0.113.9', '6.6.6.6', 2)).toBe('203.0.113.9')
    expect(behindProxies('203.0.113.9', '6.6.6.6,', 1)).toBe('203.0.113.9')
  })
})

describe('the key of an address', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['no address', 'no address'],
    [undefined, 'unknown'],
  ])('of %s is %s', (address, key) => expect(addressKey(address)).toBe(key))
})
