/** Every link of a page leads somewhere: to a file that there is, to a heading in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

const proseOf = (file: string): string => readFileSync(file, 'utf8').replaceAll(/^```.*?^```$/gms, '')

/** As GitHub makes them of headings. */
const anchorsOf = (file: string): Set<string> =>
  new Set(
    [...proseOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )

const linksOf = (file: string): string[] =>
  [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))

const problemOf = (page: string, link: string): string | undefined => {
  const [name = '', anchor] = link.split('#')
  const file = name === '' ? page : path.resolve(path.dirname(page), name)
  if (!existsSync(file)) return `${link}: there is no such file`
  return anchor === undefined || anchorsOf(file).has(anchor) ? undefined : `${link}: there is no such heading`
}

describe.each(PAGES)('%s', (page) => {
  const file = path.join(root, page)

  test('leads nowhere that is not there', () => {
    expect(linksOf(file).flatMap((link) => problemOf(file, link) ?? [])).toEqual([])
  })
})

test('what the page for production says to look for in the log is what the log says', () => {
  const page = proseOf(path.join(root, 'docs/production.md'))
  const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(root, 'src', name), 'utf8'))
  for (const words of ['Not ready:', 'taken over by', 'in use by another process', 'a worker died:']) {
    expect(page).toContain(words)
    expect(sources.some((source) => source.includes(words))).toBe(true)
  }
})

test('each line of the checklist for production says where to read on, or what to look at', () => {
  const lines = proseOf(path.join(root, 'docs/production.md'))
    .split('\n')
    .filter((line) => line.startsWith('| ☐'))
  expect(lines.length).toBeGreaterThan(15)
  expect(lines.filter((line) => !line.includes(']('))).toEqual([])
})
