import { join } from 'node:path';
import { startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { startControlPlane } from '@slipway/hack/local-cluster/controlPlane.ts';
import { installDefinitions } from '@slipway/hack/local-cluster/customResources.ts';
import { freePorts } from '@slipway/hack/local-cluster/freePort.ts';
import { gatewayChart } from '@slipway/hack/local-cluster/gatewayChart.ts';
import { clusterDirectory, repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { inferenceServices, type ModelVersion, modelVersions } from '@slipway/operator/api/kinds.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import { rfc3339 } from '@slipway/operator/kube/conditions.ts';
import { connect } from '@slipway/operator/kube/connect.ts';
import { request } from 'undici';
import { namespaces } from '../ground/namespaces.ts';
import { modelVersion, smallService } from '../story/manifests.ts';
import { inLanes } from './inLanes.ts';
import { sumOf } from './metrics.ts';
import { report } from './report.ts';

const NAMESPACE = 'bench';
const SERVICES = 500;
const WINDOW_MS = 15_000;
const SETTLED_MS = 120_000;
const PASSES = 'slipway_operator_pass_seconds_count';

const FIELD_MANAGER = { fieldManager: 'slipway-bench' };
const names = Array.from({ length: SERVICES }, (_, i) => `service-${i}`);

/** One version that passed, as the controller of its kind would have left it. */
async function createVersion(client: Client): Promise<ModelVersion> {
  const digest = `sha256:${'a'.repeat(64)}`;
  const version = modelVersion(NAMESPACE, 'flights', '1.0.0', { uri: 'pvc://models/flights', digest });
  await client.apply(modelVersions, version, FIELD_MANAGER);
  const yes = (type: string) => ({
    type,
    status: 'True' as const,
    reason: 'GatesPassed',
    message: 'Made for a bench.',
    observedGeneration: 1,
    lastTransitionTime: rfc3339(new Date()),
  });
  const status = { observedGeneration: 1, conditions: ['Ready', 'Verified', 'GatesPassed'].map(yes) };
  await client.applyStatus(modelVersions, { ...version, status }, FIELD_MANAGER);
  return version;
}

async function populate(client: Client): Promise<void> {
  await client.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, FIELD_MANAGER);
  const version = await createVersion(client);
  const service = (name: string) => smallService(version, name, { steps: [{ weight: 100 }] });
  await inLanes(names, (name) => client.apply(inferenceServices, service(name), FIELD_MANAGER));
}

interface Reading {
  readonly passes: number;
  readonly cpuSeconds: number;
}
async function read(port: number): Promise<Reading> {
  const { body } = await request(`http://127.0.0.1:${port}/metrics`);
  const text = await body.text();
  return {
    passes: sumOf(text, PASSES),
    cpuSeconds: sumOf(text, 'process_cpu_seconds_total'),
  };
}

/** Touches every service, round and round: each touch is a watch event and so a pass. */
async function touchAll(client: Client): Promise<void> {
  const end = Date.now() + WINDOW_MS;
  for (let round = 0; Date.now() < end; round += 1) {
    const patch = { metadata: { annotations: { 'bench/round': String(round) } } };
    await inLanes(names, (name) => client.merge(inferenceServices, { namespace: NAMESPACE, name }, patch));
  }
}

async function measure(client: Client, port: number): Promise<void> {
  const seen = async () => (await client.list(inferenceServices, NAMESPACE)).every((s) => s.status !== undefined);
  await until(seen, { what: 'every service to be seen', timeoutMs: SETTLED_MS, everyMs: 500 });
  const before = await read(port);
  await touchAll(client);
  const after = await read(port);
  const passes = after.passes - before.passes;
  await report('reconcile', [
    {
      what: `reconcile passes a second of one core, ${SERVICES} InferenceServices`,
      value: passes / (after.cpuSeconds - before.cpuSeconds),
      unit: 'passes/s',
    },
  ]);
}

const directory = join(clusterDirectory, 'control-planes', String(process.pid));
const plane = await startControlPlane({ directory });
await installDefinitions(plane.access, join(repositoryRoot, 'crds'));
await installDefinitions(plane.access, join(await gatewayChart(console.error), 'charts', 'crds', 'crds'));
const connection = await connect({ kubeconfig: plane.kubeconfig });
await populate(connection.client);
const [port = 0] = await freePorts(1);
const settings = {
  kubeconfig: plane.kubeconfig,
  'leader-election': 'off',
  'health-port': String(port),
  'runtime-image': 'slipway.dev/runtime:dev',
  'default-gateway': 'slipway-gateway/slipway-gateway',
};
const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
const script = join(import.meta.dirname, 'servicesOnly.ts');
const operator = startBound(process.execPath, [script, ...flags], join(directory, 'operator.log'));
try {
  await measure(connection.client, port);
} finally {
  await operator.end();
  await connection.close();
  await plane.stop();
}
