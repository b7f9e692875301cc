import { join } from 'node:path';
import { startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { freePorts } from '@slipway/hack/local-cluster/freePort.ts';
import { clusterDirectory } from '@slipway/hack/local-cluster/paths.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { type Job, jobs, persistentVolumeClaims } from '@slipway/operator/api/builtin.ts';
import { type TrainingJob, trainingJobs } from '@slipway/operator/api/kinds.ts';
import { build } from 'esbuild';
import { request } from 'undici';
import { inLanes } from './inLanes.ts';
import { sumOf } from './metrics.ts';
import type { Measurement } from './report.ts';
import { allPlaced, FIELD_MANAGER, type Fleet, GPUS, NAMESPACE, openFleet } from './trainingFleet.ts';

const WAIT_MS = 600_000;
const STUCK_MS = 30_000;
const tell = (text: string): void => console.error(`  ${text}`);

const name = (index: number): string => `train-${index}`;
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const trainingJob = (index: number): TrainingJob =>
  ({
    apiVersion: 'slipway.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name: name(index), namespace: NAMESPACE },
    spec: {
      model: { name: name(index), version: 'NextMinor' },
      image: 'example.com/train:1',
      accelerator: { count: 1, minMemory: '79Gi' },
      publish: { store: 'pvc://models' },
    },
  }) as unknown as TrainingJob;

/** What a person would write without us: the same room, the same volume. */
const plainJob = (index: number): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: name(index), namespace: NAMESPACE },
  spec: {
    completionMode: 'Indexed',
    completions: 1,
    parallelism: 1,
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'train',
            image: 'example.com/train:1',
            resources: { limits: { 'nvidia.com/gpu': '1' } },
            volumeMounts: [{ name: 'workspace', mountPath: '/output' }],
          },
        ],
        volumes: [{ name: 'workspace', persistentVolumeClaim: { claimName: name(index) } }],
      },
    },
  },
});

const claim = (index: number) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: name(index), namespace: NAMESPACE },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});

const folder = (what: string): string => join(clusterDirectory, 'control-planes', String(process.pid), what);

async function onFleet<T>(what: string, count: number, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const fleet = await openFleet(folder(what), { nodes: Math.ceil(count / GPUS), volumes: Math.ceil(1.5 * count) });
  try {
    return await work(fleet);
  } finally {
    await fleet.stop();
  }
}

async function plainSeconds(fleet: Fleet, count: number): Promise<number> {
  const start = Date.now();
  await inLanes(upTo(count), async (index) => {
    await fleet.client.create(persistentVolumeClaims, claim(index));
    await fleet.client.create(jobs, plainJob(index));
  });
  return ((await allPlaced(fleet, count)) - start) / 1000;
}

interface Reading {
  readonly calls: number;
  readonly cpuSeconds: number;
  readonly mebibytes: number;
}

async function read(port: number): Promise<Reading> {
  const { body } = await request(`http://127.0.0.1:${port}/metrics`);
  const text = await body.text();
  return {
    calls: sumOf(text, 'slipway_operator_api_call_seconds_count'),
    cpuSeconds: sumOf(text, 'process_cpu_seconds_total'),
    mebibytes: sumOf(text, 'process_resident_memory_bytes') / 2 ** 20,
  };
}

/** In one file, as the image has it: a process that strips types from a thousand files as it goes is another one. */
async function bundleOf({ directory }: Fleet): Promise<string> {
  const outfile = join(directory, 'operator.mjs');
  const entryPoints = [join(import.meta.dirname, 'trainingOnly.ts')];
  const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', banner: { js: require } });
  return outfile;
}

/** `PROFILE=<folder>` keeps a profile of its CPU there. */
async function startOperator(fleet: Fleet) {
  const { kubeconfig, directory } = fleet;
  const [port = 0] = await freePorts(1);
  const folder = process.env['PROFILE'];
  const profile = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    '--leader-election=off',
    `--health-port=${port}`,
    '--runtime-image=slipway.dev/runtime:dev',
  ];
  const program = await bundleOf(fleet);
  const child = startBound(process.execPath, [...profile, program, ...flags], join(directory, 'operator.log'));
  const answers = () => read(port).then(() => true);
  const hopeless = () => child.exited();
  await until(answers, { what: 'the operator to start', timeoutMs: 60_000, hopeless });
  return { port, child };
}

const settled = async ({ client }: Fleet, holds: (tj: TrainingJob) => boolean, what: string): Promise<void> => {
  await until(async () => (await client.list(trainingJobs, NAMESPACE)).every(holds), {
    what,
    timeoutMs: WAIT_MS,
    everyMs: 2000,
  });
};

const measured = (what: string, value: number, unit: string): Measurement => ({ what, value, unit });

async function withOperator(fleet: Fleet, count: number, plain: number): Promise<Measurement[]> {
  const { port, child } = await startOperator(fleet);
  try {
    const before = await read(port);
    const start = Date.now();
    await inLanes(upTo(count), (index) => fleet.client.apply(trainingJobs, trainingJob(index), FIELD_MANAGER));
    const seconds = ((await allPlaced(fleet, count)) - start) / 1000;
    await settled(fleet, ({ status }) => status?.phase === 'Running', 'every job to run');
    const running = await read(port);
    tell(`placed after ${seconds} s (plain Jobs: ${plain} s)`);
    const more = count / 2;
    const late = upTo(more).map((index) => count + index);
    await inLanes(late, (index) => fleet.client.apply(trainingJobs, trainingJob(index), FIELD_MANAGER));
    const isStuck = ({ status }: TrainingJob): boolean =>
      status?.phase === 'Running' || (status?.placement ?? '') !== '';
    await settled(fleet, isStuck, 'every other job to say why it is not placed');
    const stuck = await read(port);
    await new Promise((resolve) => setTimeout(resolve, STUCK_MS));
    const after = await read(port);
    const each = `${count} TrainingJobs on ${Math.ceil(count / GPUS)} kwok nodes`;
    return [
      measured(`${each}: applied to all placed`, seconds, 's'),
      measured(`${each}: time to all placed over that of plain Jobs`, seconds / plain, ''),
      measured(
        `${each}: API calls of the operator for each job until it runs`,
        (running.calls - before.calls) / count,
        'calls',
      ),
      measured(
        `${each}: CPU of the operator for each job until it runs`,
        (1000 * (running.cpuSeconds - before.cpuSeconds)) / count,
        'ms',
      ),
      measured(`${each} and ${more} that find no place: operator resident memory`, after.mebibytes, 'MiB'),
      measured(
        `${each} and ${more} that find no place: CPU of the operator, of one core`,
        (100_000 * (after.cpuSeconds - stuck.cpuSeconds)) / STUCK_MS,
        '%',
      ),
      measured(
        `${each} and ${more} that find no place: API calls of the operator`,
        (1000 * (after.calls - stuck.calls)) / STUCK_MS,
        'calls/s',
      ),
    ];
  } finally {
    await child.end(process.env['PROFILE'] === undefined ? 'SIGKILL' : 'SIGTERM');
  }
}

/** So many TrainingJobs at once, beside as many plain Jobs on an equal fleet of their own. */
export async function measurePlacement(count: number): Promise<Measurement[]> {
  const plain = await onFleet('plain', count, (fleet) => plainSeconds(fleet, count));
  tell(`${count} plain Jobs were placed after ${plain} s`);
  return onFleet('ours', count, (fleet) => withOperator(fleet, count, plain));
}
