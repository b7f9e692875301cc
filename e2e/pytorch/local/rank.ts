import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TrainingJobSpec } from '@slipway/crds';
import { KINDS } from '@slipway/crds/v1alpha1/kinds.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import type { TrainingJob } from '@slipway/operator/api/kinds.ts';
import type { Stored } from '@slipway/operator/kube/wire.ts';
import { trainingJobAttempt } from '@slipway/operator/render/trainingJob.ts';
import { parse } from 'yaml';

const SAMPLE = join(repositoryRoot, 'config', 'samples', 'pytorch');

/** The sample's TrainingJob as the API server stores it. `parameters` are added to its own. */
export async function sampleJob(parameters: Record<string, string> = {}): Promise<Stored<TrainingJob>> {
  const manifest = parse(await readFile(join(SAMPLE, 'trainingjob.yaml'), 'utf8'));
  const spec = KINDS.find(({ kind }) => kind === manifest.kind)?.spec.parse(manifest.spec) as TrainingJobSpec;
  return {
    ...manifest,
    metadata: { ...manifest.metadata, uid: 'uid', resourceVersion: '1', generation: 1 },
    spec: { ...spec, parameters: { ...spec.parameters, ...parameters } },
  };
}

/** The variables that the operator gives a rank's trainer; a reference to the pod's index is that index. */
function rendered(job: Stored<TrainingJob>, attempt: number, rank: number): Record<string, string> {
  const container = trainingJobAttempt(job, attempt, { image: 'runtime', pullPolicy: 'IfNotPresent' }).spec?.template
    .spec?.containers[0];
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? String(rank)]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface Rank {
  readonly child: ChildProcess;
  readonly statusDir: string;
  /** Exit code, or the signal that ended it; both streams. */
  readonly ended: Promise<{ readonly exit: unknown; readonly log: string }>;
}

/** Starts the ranks of an attempt as its pods would: with what the operator renders, folders and master apart. */
export async function startAttempt(python: string, job: Stored<TrainingJob>, attempt: number, root: string) {
  const port = await freePort();
  return Promise.all(
    Array.from({ length: job.spec.nodes }, (_, rank) => startRank(python, job, attempt, rank, root, port)),
  );
}

async function startRank(
  python: string,
  job: Stored<TrainingJob>,
  attempt: number,
  rank: number,
  root: string,
  port: number,
): Promise<Rank> {
  const statusDir = join(root, `status-${attempt}-${rank}`);
  const output = join(root, 'output');
  for (const folder of [statusDir, output, join(root, 'checkpoints')]) await mkdir(folder, { recursive: true });
  const given = {
    ...rendered(job, attempt, rank),
    PET_MASTER_ADDR: '127.0.0.1',
    PET_MASTER_PORT: String(port),
    SLIPWAY_STATUS_DIR: statusDir,
    SLIPWAY_OUTPUT_DIR: output,
    SLIPWAY_MODEL_DIR: join(output, 'model'),
    SLIPWAY_CHECKPOINT_DIR: join(root, 'checkpoints'),
    SLIPWAY_RESUME_FROM: join(root, 'checkpoints', 'latest'),
    TORCHELASTIC_ERROR_FILE: join(statusDir, 'error.json'),
  };
  const here = {
    PATH: process.env['PATH'] ?? '',
    HOME: root,
    TMPDIR: root,
    PYTHONDONTWRITEBYTECODE: '1',
    FLIGHTS_DIR: join(repositoryRoot, 'node_modules', 'vega-datasets', 'data'),
  };
  // torchrun is this module.
  const child = spawn(python, ['-m', 'torch.distributed.run', join(SAMPLE, 'train.py')], {
    env: { ...here, ...given },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const streams = Promise.all([text(child.stdout), text(child.stderr)]);
  const ended = once(child, 'exit').then(async ([code, signal]) => ({
    exit: code ?? signal,
    log: (await streams).join('\n'),
  }));
  return { child, statusDir, ended };
}

/** Ends a rank with all it started, as the death of its pod does. */
export function kill({ child }: Rank, signal: 'SIGKILL' | 'SIGTERM'): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
