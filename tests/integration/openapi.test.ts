import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { app } from '../fixtures/openapi/app.ts'
import type { Json } from '../fixtures/openapi/document-of.ts'

const redocly = fileURLToPath(new URL('../../node_modules/@redocly/cli/bin/cli.js', import.meta.url))

interface Finding {
  readonly ruleId: string
  readonly severity: 'error' | 'warn'
  readonly message: string
}

/** The findings of Redocly's recommended rules, offline. */
const lint = async (file: string): Promise<Finding[]> => {
  const { stdout } = await promisify(execFile)(process.execPath, [redocly, 'lint', '--format=json', file], {
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    cwd: tmpdir(),
  }).catch((failed: { stdout: string }) => failed)
  return JSON.parse(stdout).problems
}

describe('the document of an app with one of everything', () => {
  let document: Json
  let folder: string

  beforeAll(async () => {
    document = await app.openapi()
    folder = await mkdtemp(join(tmpdir(), 'errand-openapi-'))
    await writeFile(join(folder, 'openapi.json'), JSON.stringify(document))
  })

  afterAll(async () => {
    await app.close()
    await rm(folder, { recursive: true })
  })

  it('is valid OpenAPI 3.1', async () => {
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true })
  })

  it("passes Redocly's recommended rules, its examples fit their schemas", async () => {
    const findings = await lint(join(folder, 'openapi.json'))
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
    // What is left is for the user to say, or a call that can't be refused.
    const known = ['info-license', 'tag-description', 'operation-4xx-response']
    expect(findings.filter(({ ruleId }) => !known.includes(ruleId))).toEqual([])
  })

  it('mentions only components it has, and has only components it mentions', () => {
    const mentioned = new Set(JSON.stringify(document).match(/#\/components\/\w+\/[^"]+/g))
    const present = Object.entries<object>(document.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, parts]) => Object.keys(parts).map((name) => `#/components/${kind}/${name}`))
    expect([...mentioned].sort()).toEqual(present.sort())
  })

  it('has every operationId once', () => {
    const ids = Object.values<object>(document.paths).flatMap((item) =>
      Object.values(item).map((operation: Json) => operation.operationId),
    )
    expect(ids.length).toBe(new Set(ids).size)
    expect(ids.length).toBeGreaterThan(30)
  })

  it('is what the server sends, and each of its routes is served', async () => {
    const answer = await app.fetch(new Request('http://localhost/openapi.json'))
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toEqual(document)
    const served = new Set(app.routes().map(({ method, path }) => `${method.toLowerCase()} ${path}`))
    const documented = Object.entries<object>(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    )
    expect(documented.filter((route) => !served.has(route))).toEqual([])
  })
})
