import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { type InferenceService, inferenceServices } from '../src/api/kinds.ts';
import { type Connection, connect } from '../src/kube/connect.ts';
import { type Key, resource } from '../src/kube/resource.ts';
import type { KubeObject, Stored } from '../src/kube/wire.ts';
import { parseCommand } from './arguments.ts';
import { type ConnectedCommand, run } from './commands.ts';
import { awaitingApproval, rolledBack, shifting } from './samples.ts';

const namespaces = resource<KubeObject>('', 'v1', 'Namespace', 'namespaces', false);
const AS_OPERATOR = { fieldManager: 'slipway-inferenceservice' };
const namespace = `cli-${randomUUID().slice(0, 8)}`;

let connection: Connection;
let folder: string;
let key: Key;
let names = 0;

beforeAll(async () => {
  connection = await connect({ kubeconfig: inject('kubeconfig') });
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-'));
  await connection.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});
afterAll(async () => {
  await connection.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  key = { namespace, name: `flights-${++names}` };
});

const stored = async (): Promise<Stored<InferenceService>> => {
  const found = await connection.client.get(inferenceServices, key);
  if (found === undefined) throw new Error(`there is no infs/${key.name}`);
  return found;
};

/** Writes a status for the spec as it is now, as the operator does. */
async function told({ status }: InferenceService): Promise<void> {
  const { metadata, apiVersion, kind } = await stored();
  const { generation = 1 } = metadata;
  const conditions = status?.conditions?.map((condition) => ({ ...condition, observedGeneration: generation }));
  const now = { ...status, observedGeneration: generation, conditions } as NonNullable<InferenceService['status']>;
  const object = { apiVersion, kind, metadata: key, status: now } as unknown as InferenceService;
  await connection.client.applyStatus(inferenceServices, object, AS_OPERATOR);
}

/** The service of a sample, stored by a real API server, with the status that the operator left. */
async function standing(sample: InferenceService): Promise<void> {
  const { apiVersion, kind, spec } = sample;
  await connection.client.create(inferenceServices, { apiVersion, kind, metadata: key, spec });
  await told(sample);
}

interface Said {
  readonly code: number;
  readonly printed: string;
  readonly complained: string;
  /** Each whole view that was drawn. */
  readonly drawn: readonly string[];
}

/**
 * Runs a command line as `kubectl slipway` does. Time is the test's: each sleep lets a minute go by and does what the test
 * has in `meanwhile`, one after the other; the command is interrupted when there is none left.
 */
async function slipway(line: string, meanwhile: (() => Promise<void>)[] = [], atTerminal = false): Promise<Said> {
  const command = parseCommand([...line.split(' '), '-n', namespace]) as ConnectedCommand;
  const interrupted = new AbortController();
  const [printed, complained, drawn]: [string[], string[], string[]] = [[], [], []];
  let now = Date.parse('2026-03-01T12:00:00Z');
  const code = await run(command, {
    client: connection.client,
    namespace,
    print: (lines) => void printed.push(...lines),
    redraw: atTerminal ? (lines) => void drawn.push(lines.join('\n')) : undefined,
    complain: (sentence) => void complained.push(sentence),
    now: () => new Date(now),
    sleep: async () => {
      now += 60_000;
      const next = meanwhile.shift();
      if (next === undefined) interrupted.abort();
      else await next();
    },
    signal: interrupted.signal,
  });
  return { code, printed: printed.join('\n'), complained: complained.join('\n'), drawn };
}

const complete: InferenceService = {
  ...shifting,
  status: {
    ...shifting.status,
    conditions: shifting.status?.conditions?.map((c) => (c.type === 'RolloutComplete' ? { ...c, status: 'True' } : c)),
  } as NonNullable<InferenceService['status']>,
};

test('flagger#830: wait ends with 0 when the goal is reached meanwhile', async () => {
  await standing(shifting);
  const said = await slipway(`wait infs/${key.name} --for=RolloutComplete`, [
    async () => told(shifting),
    async () => told(complete),
  ]);
  expect(said).toMatchObject({ code: 0, printed: `infs/${key.name}: RolloutComplete`, complained: '' });
});

test('flagger#830: wait ends with 1 at once when the goal is out of reach', async () => {
  await standing(shifting);
  const { code, complained } = await slipway(`wait infs/${key.name} --for=RolloutComplete`, [
    async () => told(rolledBack),
  ]);
  expect([code, complained]).toEqual([1, expect.stringMatching(/will not become RolloutComplete: .*was rolled back/)]);
});

test('flagger#830: wait ends with 2 when the time is up, and says what it waited for', async () => {
  await standing(shifting);
  const quiet = async (): Promise<void> => undefined;
  const { code, complained } = await slipway(`wait infs/${key.name} --for=RolloutComplete --timeout=2m`, [
    quiet,
    quiet,
  ]);
  expect([code, complained]).toEqual([2, expect.stringContaining('Version 1.1.0 gets 25 % of the traffic.')]);
});

test('watch draws the view anew at each look, at a terminal', async () => {
  await standing(shifting);
  const { code, drawn, printed } = await slipway(`watch infs/${key.name}`, [async () => told(rolledBack)], true);
  expect([code, printed, drawn.length]).toEqual([0, '', 2]);
  expect(drawn[0]).toContain('25%');
  expect(drawn[1]).toContain('was rolled back');
});

test('watch prints again only what changed, where there is no terminal', async () => {
  await standing(shifting);
  const quiet = async (): Promise<void> => undefined;
  const { printed } = await slipway(`watch infs/${key.name}`, [quiet, async () => told(rolledBack), quiet]);
  const views = printed.split(key.name).length - 1;
  const once = (await slipway(`status infs/${key.name}`)).printed.split(key.name).length - 1;
  expect(views).toBe(2 * once);
});

test('argo-rollouts#1323: approve writes the name that the API server knows the caller by, and what waits', async () => {
  await standing(awaitingApproval);
  const said = await slipway(`approve infs/${key.name} --comment=well`);
  expect(said).toMatchObject({ code: 0, complained: '' });
  const { spec, status } = await stored();
  expect(spec.approvals).toEqual([
    {
      rolloutID: status?.rolloutID,
      step: status?.candidate?.step,
      digest: status?.candidate?.digest,
      by: 'slipway-admin',
      at: '2026-03-01T12:00:00Z',
      comment: 'well',
    },
  ]);
  expect(said.printed).toContain('as slipway-admin');
});

test('abort is one annotation that names the rollout', async () => {
  await standing(shifting);
  expect((await slipway(`abort infs/${key.name}`)).code).toBe(0);
  expect((await stored()).metadata.annotations).toEqual({ 'slipway.dev/abort': 'r-77aa0' });
});

const manifest = (spec: object): string =>
  JSON.stringify({ apiVersion: 'slipway.dev/v1alpha1', kind: 'InferenceService', metadata: { name: key.name }, spec });

test('plan of a file has the server check and default it, and stores nothing', async () => {
  const file = join(folder, 'plan.yaml');
  await writeFile(file, manifest({ model: { name: 'flights', version: '1.1.0' } }));
  const { code, printed } = await slipway(`plan -f ${file}`);
  expect([code, printed]).toEqual([0, expect.stringContaining('1.1.0')]);
  expect(await connection.client.get(inferenceServices, key)).toBeUndefined();

  await writeFile(
    file,
    manifest({ model: { name: 'flights', version: '1.1.0' }, rollout: { steps: [{ weight: 500 }] } }),
  );
  await expect(slipway(`plan -f ${file}`)).rejects.toThrow(/rollout\.steps\[0\]\.weight/);
});

test('rehearse plays the policy of a stored service', async () => {
  const { apiVersion, kind, spec } = shifting;
  const guards = [{ name: 'errors', errors: { max: '1%' } }];
  const rollout = { ...spec.rollout, guards, steps: [{ weight: 50 }, { weight: 100 }] };
  await connection.client.create(inferenceServices, {
    apiVersion,
    kind,
    metadata: key,
    spec: { ...spec, rollout },
  } as InferenceService);
  const { code, printed } = await slipway(`rehearse infs/${key.name} --rps=200 --errors=30% --runs=2`);
  expect([code, printed]).toEqual([0, expect.stringContaining('by guard errors')]);
});

test('what is not there is said with the namespace that was looked in', async () => {
  await expect(slipway(`status infs/${key.name}`)).rejects.toThrow(
    `There is no infs/${key.name} in namespace ${namespace}`,
  );
});
