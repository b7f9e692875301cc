import type { TrainingJobSpec, TrainingJobStatus } from '@slipway/crds';
import { NO_JOB } from '../src/controllers/jobs/jobWorld.ts';
import type { Plan, World } from '../src/controllers/trainingjob/world.ts';
import { AT, after, childJob, type pod, trainingJob } from './trainingBuilders.ts';

/** Statuses of a TrainingJob along its way. */
export const claimed: TrainingJobStatus = { phase: 'Pending', version: '0.1.0', attempt: 0, restarts: 0 };
export const running: TrainingJobStatus = { ...claimed, phase: 'Running', startedAt: AT, attemptStartedAt: AT };

/** What a pass over the TrainingJob `nightly` looks at, a minute after AT. */
export const world = (
  status: TrainingJobStatus | undefined,
  rest: Partial<World> = {},
  spec: Partial<TrainingJobSpec> = {},
): World => ({
  tj: trainingJob(spec, status),
  now: after(60),
  attempt: NO_JOB,
  leftovers: { jobs: [], pods: [] },
  publish: NO_JOB,
  modelVersion: undefined,
  report: undefined,
  placement: undefined,
  lostNodes: new Map(),
  queue: undefined,
  ...rest,
});

export const attempt = (end?: 'Complete' | 'Failed', ...pods: ReturnType<typeof pod>[]) => ({
  job: childJob('nightly-a0', end),
  pods,
});

export const kinds = ({ actions }: Plan): string[] => actions.map(({ kind }) => kind);
export const ready = ({ observed }: Plan) => observed.find(({ type }) => type === 'Ready');
export const stalled = ({ observed }: Plan) => observed.find(({ type }) => type === 'Stalled');
