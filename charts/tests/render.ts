import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { parseAllDocuments } from 'yaml';

const CHARTS = join(import.meta.dirname, '..');
const CONFIG = join(CHARTS, '..', 'config');
const log = (line: string): void => console.error(line);

/** A rendered manifest. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

const manifests = (yaml: string): Manifest[] =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

/** The real helm; rejects with what it wrote to stderr. */
export const helm = async (...args: readonly string[]): Promise<string> =>
  run(await findBinary('helm', log), [...args]);

export const chart = (name: 'slipway' | 'slipway-crds'): string => join(CHARTS, name);

/** What a user's values file makes of the chart. */
export async function render(values: unknown, namespace: string): Promise<Manifest[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-chart-'));
  try {
    const file = join(folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return manifests(await helm('template', 'slipway', chart('slipway'), '--namespace', namespace, '--values', file));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The real kubectl; rejects with what it wrote to stderr. */
export const kubectl = async (args: readonly string[], input = ''): Promise<string> =>
  run(await findBinary('kubectl', log), args, { input });

/** What kubectl kustomize makes of a folder of config/. */
export const kustomize = async (folder: 'default' | 'namespaced'): Promise<Manifest[]> =>
  manifests(await kubectl(['kustomize', join(CONFIG, folder)]));

export function only(all: readonly Manifest[], kind: string): Manifest {
  const [found, ...more] = all.filter((manifest) => manifest.kind === kind);
  if (found === undefined || more.length > 0)
    throw new Error(`there are ${more.length + (found ? 1 : 0)} of kind ${kind}`);
  return found;
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: object;
}
export interface PodSpec {
  readonly containers: readonly Container[];
  readonly [field: string]: unknown;
}

export const podSpecOf = (deployment: Manifest): PodSpec =>
  (deployment['spec'] as { template: { spec: PodSpec } }).template.spec;

/** The operator's environment as its configuration would read it; what the kubelet fills in is given. */
export function environmentOf(deployment: Manifest): Record<string, string> {
  const env = podSpecOf(deployment).containers.flatMap((container) => container.env);
  const filled = { SLIPWAY_OPERATOR_NAMESPACE: 'slipway-system', SLIPWAY_POD_NAME: 'slipway-operator-0' };
  return {
    ...filled,
    ...Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
  };
}
