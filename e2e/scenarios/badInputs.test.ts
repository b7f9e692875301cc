import type { Condition } from '@slipway/crds';
import { jobs } from '@slipway/operator/api/builtin.ts';
import { modelVersions, type TrainingJob, trainingJobs } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitObject } from '../ground/await.ts';
import { TRAINER_IMAGE, tinyTraining, versionOver } from '../story/manifests.ts';
import { FIELD_MANAGER, keyIn } from '../story/stage.ts';
import { openSteady, type Steady } from '../story/steady.ts';

const NAMESPACE = 'bad-inputs';
const CAUSE_MS = 120_000;

let steady: Steady;

type Status = { conditions?: readonly Condition[] | undefined } | undefined;

/** Every condition as one text, so that a test asks what a person would read. */
const words = (status: Status): string =>
  (status?.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}: ${c.message}`).join('\n');

const has = (status: Status, type: string, value: string): boolean =>
  status?.conditions?.some((c) => c.type === type && c.status === value) ?? false;

async function apply(job: TrainingJob): Promise<void> {
  await steady.stage.ground.client.apply(trainingJobs, job, { fieldManager: FIELD_MANAGER });
}

const jobThat = (name: string, fits: (status: TrainingJob['status']) => boolean, what: string): Promise<TrainingJob> =>
  awaitObject(steady.stage.ground.client, trainingJobs, keyIn(steady.stage, name), (j) => fits(j.status), {
    what: `TrainingJob ${name} ${what}`,
    timeoutMs: CAUSE_MS,
  });

const nothingStarted = async (name: string): Promise<void> =>
  expect(
    (await steady.stage.ground.client.list(jobs, NAMESPACE)).filter((job) => job.metadata.name.startsWith(`${name}-`)),
  ).toEqual([]);

const script = (code: string): object => ({ image: TRAINER_IMAGE, command: ['node', '-e', code] });

/** Writes what the contract asks for, but with noise where the model should be. */
const NOISE = `
  const { mkdirSync, writeFileSync } = require('node:fs');
  const out = process.env.SLIPWAY_OUTPUT_DIR, model = process.env.SLIPWAY_MODEL_DIR;
  mkdirSync(model, { recursive: true });
  writeFileSync(model + '/model.onnx', 'this is no model');
  writeFileSync(out + '/metrics.json', '{}');
  writeFileSync(out + '/predictions.jsonl', JSON.stringify({ id: 1, label: 1, prediction: 1 }) + '\\n');
`;

const NOT_ITS_DIGEST = `sha256:${'1'.repeat(64)}`;

/** All at once: each takes its time to go wrong. Nothing listens on port 1, so that pull asks nobody outside. */
const badJobs = (): TrainingJob[] => [
  tinyTraining(NAMESPACE, 'exits', script('process.exit(1)')),
  tinyTraining(NAMESPACE, 'hungry', {
    ...script('const held = []; for (;;) held.push(Buffer.alloc(8e6, 1))'),
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '96Mi' } },
  }),
  tinyTraining(NAMESPACE, 'imageless', { image: '127.0.0.1:1/none:dev' }),
  tinyTraining(NAMESPACE, 'placeless', { accelerator: { resource: 'nvidia.com/gpu', count: 64 } }),
  tinyTraining(NAMESPACE, 'noise', { ...script(NOISE), model: { name: 'noise', version: '1.0.0' } }),
  tinyTraining(NAMESPACE, 'late', { model: { name: 'flights', version: '0.0.1' } }),
  tinyTraining(NAMESPACE, 'misfit', {
    podTemplate: { spec: { containers: [{ name: 'train', env: [{ name: 'a=b' }] }] } },
  }),
  tinyTraining(NAMESPACE, 'altered', {
    datasets: [{ name: 'train', uri: steady.trained.version.spec.artifact.uri, digest: NOT_ITS_DIGEST }],
  }),
];

beforeAll(async () => {
  steady = await openSteady(NAMESPACE, { steps: [{ weight: 100 }] });
  await Promise.all(badJobs().map(apply));
});
afterAll(() => steady?.close());

describe('a training job ends in a condition that names the cause when its', () => {
  test('pod exits with 1', async () => {
    const { status } = await jobThat('exits', (s) => s?.phase === 'Failed', 'to fail');
    expect(words(status)).toMatch(/exit(ed)?( code| with)?( code)? 1\b/i);
  });
  test('pod uses more memory than it may', async () => {
    const { status } = await jobThat('hungry', (s) => s?.phase === 'Failed', 'to fail');
    expect(words(status)).toMatch(/OutOfMemory.*96Mi/);
  });
  test('image can not be pulled', async () => {
    const named = /ErrImagePull|ImagePullBackOff/;
    const { status } = await jobThat('imageless', (s) => named.test(words(s)), 'to name its image');
    expect(words(status)).toContain('127.0.0.1:1/none:dev');
  });
  test('pod fits no node', async () => {
    const { status } = await jobThat('placeless', (s) => (s?.placement ?? '') !== '', 'to say why no node takes it');
    expect(status?.placement).toMatch(/\bnode.*64 nvidia\.com\/gpu|nvidia\.com\/gpu.*\b64\b/);
    expect(status?.phase).toBe('Pending');
  });
  test('version is below the newest', async () => {
    const { status } = await jobThat('late', (s) => has(s, 'Stalled', 'True'), 'to be refused');
    expect(words(status)).toMatch(/0\.0\.1.*0\.1\.0/);
    await nothingStarted('late');
  });
  test('data set is not what its digest says', async () => {
    const { status } = await jobThat('altered', (s) => s?.phase === 'Failed', 'to fail');
    expect(words(status)).toMatch(/Stalled=True DatasetInvalid: .*train/);
    expect(words(status)).toContain(NOT_ITS_DIGEST);
    expect(status?.attempts).toMatchObject([{ attempt: 0, class: 'DatasetInvalid' }]);
  });
  test('pod template is one that the API server refuses', async () => {
    const { status } = await jobThat('misfit', (s) => has(s, 'Stalled', 'True'), 'to be refused');
    expect(words(status)).toMatch(/Stalled=True PodTemplateInvalid: The API server refuses spec\.podTemplate.*a=b/);
    await nothingStarted('misfit');
  });
});

describe('a version is not Ready and names the cause when its', () => {
  test('artifact is not what its digest says', async () => {
    const { client } = steady.stage.ground;
    const forged = versionOver(steady.trained.version, '7.0.0', `sha256:${'0'.repeat(64)}`);
    await client.apply(modelVersions, forged, { fieldManager: FIELD_MANAGER });
    const { status } = await awaitObject(
      client,
      modelVersions,
      keyIn(steady.stage, forged),
      (v) => has(v.status, 'Verified', 'False'),
      { what: 'the forged version to be found out', timeoutMs: CAUSE_MS },
    );
    expect(words(status)).toContain('DigestMismatch');
    expect(has(status, 'Ready', 'True')).toBe(false);
  });
  test('model can not be loaded', async () => {
    const { client } = steady.stage.ground;
    const cause = /ModelInvalid|SignatureInvalid|OutputInvalid/;
    const told = async (): Promise<string> => {
      const [job, version] = await Promise.all([
        client.get(trainingJobs, keyIn(steady.stage, 'noise')),
        client.get(modelVersions, keyIn(steady.stage, 'noise-1.0.0')),
      ]);
      return `${words(job?.status)}\n${words(version?.status)}`;
    };
    await expect.poll(told, { timeout: CAUSE_MS, interval: 500 }).toMatch(cause);
  });
});

describe('an approval is refused with a sentence when it comes from', () => {
  const by = `system:serviceaccount:${NAMESPACE}:default`;
  /** May write every version, as a pipeline may, and approve none. */
  beforeAll(async () => {
    const { kubectl } = steady.stage.ground;
    const rights = ['--verb=get,patch,update', '--resource=modelversions.slipway.dev'];
    await kubectl('-n', NAMESPACE, 'create', 'role', 'pipeline', ...rights);
    const bound = ['--role=pipeline', `--serviceaccount=${NAMESPACE}:default`];
    await kubectl('-n', NAMESPACE, 'create', 'rolebinding', 'pipeline', ...bound);
  });
  const approve = (name: string, ...asWhom: string[]): Promise<string> => {
    const { metadata, spec } = steady.trained.version;
    const approval = { stage: 'Production', by: name, digest: spec.artifact.digest, at: '2026-01-01T00:00:00Z' };
    const patch = JSON.stringify({ spec: { approvals: [approval] } });
    const target = `modelversion/${metadata.name}`;
    return steady.stage.ground.kubectl('-n', NAMESPACE, 'patch', target, '--type=merge', '-p', patch, ...asWhom);
  };
  test('an account without the verb approve', async () => {
    await expect(approve(by, `--as=${by}`)).rejects.toThrow(
      /may not approve flights-0\.1\.0: that needs the verb approve on modelversions\.slipway\.dev, which the ClusterRole slipway-approver gives/,
    );
  });
  test('somebody in the name of another', async () => {
    await expect(approve('somebody-else')).rejects.toThrow(/an approval is given in your own name/);
  });
});

test('nothing that served before was disturbed by any of it', async () => {
  await steady.traffic.hear(100);
  expect(steady.traffic.tally().unexcused.slice(0, 5)).toEqual([]);
});
