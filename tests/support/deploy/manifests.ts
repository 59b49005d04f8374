/** The recipes in `deploy/`, read. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

const DEPLOY = path.resolve(import.meta.dirname, '../../../deploy')

/** A file of the recipes as text. */
export const recipe = (name: string): string => readFileSync(path.join(DEPLOY, name), 'utf8')

/** A probe as Kubernetes has it. */
export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly timeoutSeconds?: number
}

/** A container, as far as it matters here. */
export interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
  readonly resources: { readonly requests: object; readonly limits: object }
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumeMounts: readonly { readonly mountPath: string }[]
}

/** A pod's template. */
export interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly terminationGracePeriodSeconds: number
    readonly securityContext: Readonly<Record<string, unknown>>
    readonly containers: readonly [Container]
  }
}

/** Any document of the manifests. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly spec?: {
    readonly template: Pod
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  }
}

/** All documents of the Kubernetes manifests. */
export const manifests = (): Manifest[] =>
  parseAllDocuments(recipe('kubernetes/errand.yaml')).map((document) => document.toJS() as Manifest)

/** A service of the compose file. */
export interface ComposeService {
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly stop_grace_period?: string
  readonly ports?: readonly string[]
  readonly command?: readonly string[]
}

/** The compose file. */
export interface Compose {
  readonly services: Readonly<Record<'api' | 'worker' | 'redis' | 'postgres', ComposeService>>
}

export const compose = (): Compose => parse(recipe('compose.yaml'), { merge: true }) as Compose
