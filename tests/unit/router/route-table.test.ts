import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RouteTable, templateParameters, type Route } from '../../../src/router/route-table.ts'

const route = (method: string, path: string): Route => ({
  method,
  path,
  owner: `${method} ${path}`,
  handle: () => ({ status: 200, headers: [], body: null }),
})

const tableOf = (...lines: string[]): RouteTable => {
  const table = new RouteTable()
  for (const line of lines) table.add(route(...(line.split(' ') as [string, string])))
  return table
}

const find = (table: RouteTable, line: string): unknown => {
  const [method = '', path = ''] = line.split(' ')
  const found = table.find(method, path)
  return 'route' in found ? [found.route.owner, found.params] : { allow: [...found.allow].sort() }
}

describe('a route table', () => {
  test('finds static paths and the values of parameters', () => {
    const table = tableOf('GET /a', 'GET /a/{x}', 'GET /a/{x}/b/{y}')
    expect(find(table, 'GET /a')).toEqual(['GET /a', {}])
    expect(find(table, 'GET /a/1')).toEqual(['GET /a/{x}', { x: '1' }])
    expect(find(table, 'GET /a/1/b/2')).toEqual(['GET /a/{x}/b/{y}', { x: '1', y: '2' }])
  })

  test('takes static before parameter at every segment, and goes back when that leads nowhere', () => {
    const table = tableOf('GET /a/b', 'GET /a/{x}', 'GET /a/b/c/d', 'GET /a/{x}/c/{y}')
    expect(find(table, 'GET /a/b')).toEqual(['GET /a/b', {}])
    expect(find(table, 'GET /a/b/c/d')).toEqual(['GET /a/b/c/d', {}])
    expect(find(table, 'GET /a/b/c/e')).toEqual(['GET /a/{x}/c/{y}', { x: 'b', y: 'e' }])
  })

  test('gives parameters of one place the name that each route has for it', () => {
    const table = tableOf('GET /a/{x}', 'PUT /a/{other}')
    expect(find(table, 'PUT /a/1')).toEqual(['PUT /a/{other}', { other: '1' }])
  })

  test('tells every method of a path, or none of an unknown one', () => {
    const table = tableOf('GET /a/b', 'POST /a/{x}', 'DELETE /{y}/b')
    expect(find(table, 'PUT /a/b')).toEqual({ allow: ['DELETE', 'GET', 'POST'] })
    expect(find(table, 'PUT /x')).toEqual({ allow: [] })
  })

  test('finds the GET of a HEAD', () => {
    expect(find(tableOf('GET /a'), 'HEAD /a')).toEqual(['GET /a', {}])
  })

  test('needs something in a parameter, and takes nothing of the next segment', () => {
    const table = tableOf('GET /a/{x}')
    for (const path of ['/a/', '/a', '/a/b/c', '/a/b/'])
      expect(find(table, `GET ${path}`)).toEqual({ allow: [] })
  })

  test('decodes parameters, and knows nothing at a path that can not be decoded', () => {
    const table = tableOf('GET /a/{x}')
    expect(find(table, 'GET /a/%2F%20%C3%A9')).toEqual(['GET /a/{x}', { x: '/ é' }])
    expect(find(table, 'GET /a/%zz')).toEqual({ allow: [] })
    expect(find(table, 'GET /a/%c3')).toEqual({ allow: [] })
  })

  test('has no path but its own in it: not __proto__, not constructor', () => {
    const table = tableOf('GET /a/{x}')
    for (const path of ['/__proto__', '/constructor', '/toString', '/a/b/__proto__'])
      expect(find(table, `GET ${path}`)).toEqual({ allow: [] })
    expect(find(table, 'GET /a/__proto__')).toEqual(['GET /a/{x}', { x: '__proto__' }])
  })

  test('gives the rest of a path undecoded to a route that takes it', () => {
    const table = tableOf('GET /rpc/{path*}')
    expect(find(table, 'GET /rpc/a/b%2Fc')).toEqual(['GET /rpc/{path*}', { path: 'a/b%2Fc' }])
    expect(find(table, 'GET /rpc')).toEqual({ allow: [] })
  })

  test('refuses a second route at one place, by giving the first', () => {
    const table = tableOf('GET /a', 'GET /a/{x}', 'POST /rpc/{path*}')
    expect(table.add(route('GET', '/a'))?.path).toBe('/a')
    expect(table.add(route('GET', '/a/{y}'))?.path).toBe('/a/{x}')
    expect(table.add(route('POST', '/rpc/one'))?.path).toBe('/rpc/{path*}')
    expect(table.add(route('GET', '/rpc/one'))).toBeUndefined()
    expect(table.routes).toHaveLength(4)
  })

  test('finds what a look at every route would find', () => {
    const segment = fc.constantFrom('a', 'b', '{x}', '{y}')
    const template = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => `/${segments.join('/')}`)
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
    const fits = (each: Route, segments: readonly string[]): boolean => {
      const wanted = each.path.slice(1).split('/')
      return (
        wanted.length === segments.length &&
        wanted.every((name, index) => name.startsWith('{') || name === segments[index])
      )
    }
    fc.assert(
      fc.property(fc.array(template, { minLength: 1, maxLength: 8 }), path, (templates, segments) => {
        const table = tableOf(...templates.map((each) => `GET ${each}`))
        const found = table.find('GET', `/${segments.join('/')}`)
        const possible = table.routes.filter((each) => fits(each, segments))
        if (!('route' in found)) {
          expect(possible).toEqual([])
          return
        }
        expect(possible).toContain(found.route)
        // Of all that fit it has a static segment wherever the first difference is.
        const rank = (each: Route): string =>
          each.path
            .slice(1)
            .split('/')
            .map((name) => (name.startsWith('{') ? '1' : '0'))
            .join('')
        expect(rank(found.route)).toBe(possible.map(rank).sort()[0])
      }),
    )
  })
})

test('templateParameters names the parameters in order', () => {
  expect(templateParameters('/a/{b}/c/{d_2}/{rest*}')).toEqual(['b', 'd_2', 'rest'])
  expect(templateParameters('/a')).toEqual([])
})
