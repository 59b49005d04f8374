import { expect, test } from 'vitest'
import { Pressure } from '../../../src/router/pressure.ts'

const after = (...late: number[]): boolean => {
  const pressure = new Pressure(500)
  for (const ms of late) pressure.note(ms)
  return pressure.high
}

const good = (count: number): number[] => Array.from({ length: count }, () => 10)

test('one slow turn is no pressure, however slow, nor are two', () => {
  expect(after(60_000)).toBe(false)
  expect(after(600, 600)).toBe(false)
  expect(after(600, 600, 499, 600, 600)).toBe(false)
})

test('three in a row are', () => {
  expect(after(501, 501, 501)).toBe(true)
  expect(after(10, 600, 10, 501, 9000, 501)).toBe(true)
})

test('it ends after five good ones in a row, and no sooner', () => {
  expect(after(600, 600, 600, ...good(4))).toBe(true)
  expect(after(600, 600, 600, ...good(5))).toBe(false)
  expect(after(600, 600, 600, ...good(4), 600, ...good(4))).toBe(true)
})

test('in between it stays as it is: neither begins nor ends with what is late by half', () => {
  expect(after(300, 300, 300, 300)).toBe(false)
  expect(after(600, 600, 600, 300, 300, 300, 300, 300, 300)).toBe(true)
})
