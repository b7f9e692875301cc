import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LABELS } from '@slipway/crds/contract';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { type PersistentVolumeClaim, type Pod, persistentVolumeClaims, pods } from '@slipway/operator/api/builtin.ts';
import { type ModelVersion, modelVersions, type TrainingJob, trainingJobs } from '@slipway/operator/api/kinds.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { awaitGoal, awaitObject } from '../../ground/await.ts';
import { diagnose } from '../../ground/diagnose.ts';
import { type Ground, openGround } from '../../ground/ground.ts';
import { ensureRestrictedNamespace } from '../../ground/namespaces.ts';
import { claim, smallService } from '../../story/manifests.ts';
import { serve } from '../../story/rollout.ts';
import { FIELD_MANAGER, keyIn, type Stage } from '../../story/stage.ts';

const NAMESPACE = 'pytorch-e2e';
const STARTS_MS = 600_000;
const ENDS_MS = 900_000;

let ground: Ground;
let stage: Stage;
beforeAll(async () => {
  ground = await openGround();
  stage = { ground, namespace: NAMESPACE, tell: (what) => console.error(`  ${what}`) };
  await ground.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=120s');
  await ensureRestrictedNamespace(ground.client, NAMESPACE);
  const store = claim(NAMESPACE) as PersistentVolumeClaim;
  await ground.client.apply(persistentVolumeClaims, store, { fieldManager: FIELD_MANAGER });
});
afterAll(async () => {
  await ground.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  await ground.close();
});

/** The sample as it stands, with a name and parameters of its own. */
async function apply(name: string, version: string, parameters: Record<string, string>): Promise<void> {
  const file = join(repositoryRoot, 'config', 'samples', 'pytorch', 'trainingjob.yaml');
  const job = parse(await readFile(file, 'utf8')) as TrainingJob;
  job.metadata = { name, namespace: NAMESPACE };
  job.spec.model = { ...job.spec.model, version };
  job.spec.parameters = { ...job.spec.parameters, ...parameters };
  await ground.client.apply(trainingJobs, job, { fieldManager: FIELD_MANAGER });
}

type Job = Awaited<ReturnType<typeof awaitJob>>;
const awaitJob = (name: string, what: string, timeoutMs: number, fits: (job: TrainingJob) => boolean) =>
  awaitObject(ground.client, trainingJobs, keyIn(stage, name), fits, {
    what: `TrainingJob ${name} ${what}`,
    timeoutMs,
    lost: ({ status }) => (status?.phase === 'Failed' ? JSON.stringify(status.conditions) : undefined),
  });

const podsOf = (job: string, attempt: number): Promise<Pod[]> =>
  ground.client.list(pods, NAMESPACE, {
    labelSelector: `${LABELS.trainingJob}=${job},${LABELS.attempt}=${attempt}`,
  }) as Promise<Pod[]>;

/** Waits for the end, and says what a person would look at where it does not come. */
async function finished(name: string): Promise<Job> {
  try {
    return await awaitJob(name, 'to succeed', ENDS_MS, ({ status }) => status?.phase === 'Succeeded');
  } catch (error) {
    console.error(await diagnose(ground, NAMESPACE));
    throw error;
  }
}

const trained = async (job: Job): Promise<ModelVersion> =>
  awaitGoal(ground.client, modelVersions, keyIn(stage, job.status?.modelVersion ?? ''), 'Ready', STARTS_MS);

/** The first golden request, which carries torch's own answers. */
async function golden(version: ModelVersion): Promise<{ inputs: object[]; outputs: { data: number[] }[] }> {
  const service = await serve(stage, smallService(version, 'torch', { steps: [{ weight: 100 }] }));
  const [pod] = await ground.client.list(pods, NAMESPACE, {
    labelSelector: `${LABELS.inferenceService}=${service.metadata.name}`,
  });
  const read = `process.stdout.write(require('fs').readFileSync('/slipway/served/golden.jsonl','utf8').split('\\n')[0])`;
  return JSON.parse(await ground.kubectl('-n', NAMESPACE, 'exec', pod?.metadata.name ?? '', '--', 'node', '-e', read));
}

test('two pods train one model under torchrun; it is exported, verified and served with the answers of torch', async () => {
  await apply('torch', '1.0.0', {});
  const job = await finished('torch');
  expect(job.status?.progress).toMatchObject({ percent: '100%', source: 'File' });
  const gang = await podsOf('torch', job.status?.attempt ?? 0);
  expect(gang).toHaveLength(2);
  const version = await trained(job);
  expect(version.status?.gates?.map(({ verdict }) => verdict)).toEqual(['Pass', 'Pass']);
  const { inputs, outputs } = await golden(version);
  const address = await ground.kubectl(
    ...['-n', NAMESPACE, 'get', 'service', '-l', `${LABELS.inferenceService}=torch`],
    ...['-o', 'jsonpath={.items[0].spec.clusterIP}'],
  );
  const body = JSON.stringify({ inputs });
  const response = await fetch(`http://${address}/v2/models/flights-torch/infer`, { method: 'POST', body });
  const answer = (await response.json()) as { outputs: { data: number[] }[] };
  expect(answer.outputs[0]?.data).toHaveLength(outputs[0]?.data.length ?? 0);
  answer.outputs[0]?.data.forEach((value, i) => {
    expect(Math.abs(value - (outputs[0]?.data[i] ?? Number.NaN))).toBeLessThan(1e-4);
  });
});

/** SIGKILL to the rank of a pod, and not to torchrun, its first process: as a want of memory does it. */
const KILL_RANK = `
import os, signal
for pid in filter(str.isdigit, os.listdir('/proc')):
    rank = b'/app/train.py' in open(f'/proc/{pid}/cmdline', 'rb').read()
    if rank and int(pid) not in (1, os.getpid()): os.kill(int(pid), signal.SIGKILL)
`;
const killRank = (pod: string) =>
  ground.kubectl('-n', NAMESPACE, 'exec', pod, '-c', 'train', '--', 'python3', '-c', KILL_RANK);

test('kubeflow/trainer#1579: a rank killed in mid-run restarts the gang, which goes on from its checkpoint', async () => {
  await apply('killed', '1.1.0', { pause: '0.3', checkpointEvery: '10' });
  const before = await awaitJob(
    'killed',
    'to be at step 20',
    STARTS_MS,
    ({ status }) => (status?.progress?.step ?? 0) >= 20,
  );
  const victim = (await podsOf('killed', 0)).find(({ metadata }) => metadata.name?.startsWith('killed-a0-1-'));
  await killRank(victim?.metadata.name ?? '');
  const after = await awaitJob(
    'killed',
    'to train again',
    STARTS_MS,
    ({ status }) => status?.attempt === 1 && status.phase === 'Running' && status.resumedFrom !== undefined,
  ).catch(async (error: unknown) => {
    console.error(await diagnose(ground, NAMESPACE));
    throw error;
  });
  expect(Number(after.status?.resumedFrom)).toBeGreaterThanOrEqual(10);
  const gang = await podsOf('killed', 1);
  expect(gang.map(({ metadata }) => metadata.name?.replace(/-\w{5}$/, '')).sort()).toEqual([
    'killed-a1-0',
    'killed-a1-1',
  ]);
  const next = await awaitJob('killed', 'to report again', STARTS_MS, ({ status }) => {
    const { step = 0, since = '' } = status?.progress ?? {};
    return since > (before.status?.progress?.since ?? '') && step > Number(after.status?.resumedFrom);
  });
  expect(next.status?.progress?.step).toBeGreaterThan(Number(after.status?.resumedFrom));
  const job = await finished('killed');
  expect([job.status?.restarts, job.status?.disruptions ?? 0]).toEqual([1, 0]);
  expect(job.status?.attempts).toMatchObject([{ attempt: 0, class: 'UserError', pod: victim?.metadata.name }]);
  expect(job.status?.attempts?.[0]?.message).toMatch(/a worker was killed.*rank\s+: 1.*SIGKILL/);
});
