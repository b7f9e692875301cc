import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { type Job, jobs, type Pod, pods } from '@slipway/operator/api/builtin.ts';
import { type TrainingJob, trainingJobs } from '@slipway/operator/api/kinds.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import { connect } from '@slipway/operator/kube/connect.ts';
import { ensureRestrictedNamespace } from '../ground/namespaces.ts';
import { quantile } from '../load/quantile.ts';
import type { Measurement } from './report.ts';

const NAMESPACE = 'bench-training';
const IMAGE = 'slipway.dev/trainer:dev';
const ROUNDS = 5;
const WAIT_MS = 120_000;

/** The first thing a trainer does is its first step here, and it says when. The first attempt then dies. */
const PROGRAM = `console.log('step', Date.now());
setTimeout(() => process.exit(1), process.env.DIES === 'yes' && process.env.SLIPWAY_ATTEMPT === '0' ? 2000 : 3600000);
process.on('SIGTERM', () => process.exit(0));
process.on('exit', () => console.log('end', Date.now()));`;

const trainer = { image: IMAGE, command: ['node', '-e', PROGRAM] };

const trainingJob = (name: string, dies: boolean): TrainingJob =>
  ({
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...trainer,
      model: { name },
      env: [{ name: 'DIES', value: dies ? 'yes' : 'no' }],
      failure: { restarts: 1 },
      publish: { store: 'pvc://models' },
    },
  }) as unknown as TrainingJob;

const plainJob = (name: string): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: NAMESPACE },
  spec: {
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            ...trainer,
            name: 'train',
            imagePullPolicy: 'IfNotPresent',
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    },
  },
});

/** What the train container of a pod printed after a word, in ms since the epoch. */
async function said(client: Client, pod: Pod, word: string): Promise<number | undefined> {
  const key = { namespace: NAMESPACE, name: pod.metadata.name };
  const options = { container: 'train', tailLines: 10, limitBytes: 4096 };
  const log = (await client.podLog(key, options).catch(() => undefined)) ?? '';
  const found = new RegExp(`^${word} ([0-9]+)$`, 'm').exec(log)?.[1];
  return found === undefined ? undefined : Number(found);
}

const saidBy = (client: Client, labelSelector: string, word: string): Promise<number> =>
  until(
    async () => {
      const [pod] = await client.list(pods, NAMESPACE, { labelSelector });
      return pod && said(client, pod, word);
    },
    { what: `${labelSelector} to say ${word}`, timeoutMs: WAIT_MS, everyMs: 100 },
  );

async function plainMs(client: Client, name: string): Promise<number> {
  const start = Date.now();
  await client.create(jobs, plainJob(name));
  const ms = (await saidBy(client, `job-name=${name}`, 'step')) - start;
  await client.delete(jobs, { namespace: NAMESPACE, name }, { propagation: 'Background' });
  return ms;
}

async function oursMs(client: Client, name: string): Promise<number> {
  const start = Date.now();
  await client.create(trainingJobs, trainingJob(name, false));
  const ms = (await saidBy(client, `job-name=${name}-a0`, 'step')) - start;
  await client.delete(trainingJobs, { namespace: NAMESPACE, name });
  return ms;
}

/** From the death of the only rank to the first step of the next attempt. */
async function restartMs(client: Client, name: string): Promise<number> {
  await client.create(trainingJobs, trainingJob(name, true));
  const endedAt = await saidBy(client, `job-name=${name}-a0`, 'end');
  const ms = (await saidBy(client, `job-name=${name}-a1`, 'step')) - endedAt;
  await client.delete(trainingJobs, { namespace: NAMESPACE, name });
  return ms;
}

/** On a cluster with the operator and the trainer's image, in turns with plain Jobs of the same image. */
export async function measureStart(kubeconfig: string): Promise<Measurement[]> {
  const { client, close } = await connect({ kubeconfig });
  const [plain, ours, restarts]: [number[], number[], number[]] = [[], [], []];
  try {
    await ensureRestrictedNamespace(client, NAMESPACE);
    const run = Date.now().toString(36);
    for (let round = 0; round < ROUNDS; round += 1) {
      plain.push(await plainMs(client, `plain-${run}-${round}`));
      ours.push(await oursMs(client, `ours-${run}-${round}`));
      restarts.push(await restartMs(client, `dies-${run}-${round}`));
      console.error(
        `  round ${round + 1}: plain ${plain.at(-1)} ms, ours ${ours.at(-1)} ms, again ${restarts.at(-1)} ms`,
      );
      await delay(1000);
    }
  } finally {
    await close();
  }
  const [fast, slow, again] = [quantile(plain, 0.5), quantile(ours, 0.5), quantile(restarts, 0.5)];
  const second = (what: string, ms: number): Measurement => ({ what, value: ms / 1000, unit: 's' });
  return [
    second('TrainingJob applied to its first step, median', slow),
    second('the same over a plain Job of the same image, median', slow - fast),
    second('a rank that died to the first step of the next attempt, its 10 s of waiting included, median', again),
  ];
}
