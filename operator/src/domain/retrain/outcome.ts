import { LABELS } from '@slipway/crds/contract';
import type { InferenceService, ModelVersion, TrainingJob } from '../../api/kinds.ts';
import { acceleratorSecondsOf, type RetrainWorld, type Run, UNDER_WAY } from './world.ts';

interface Ends {
  readonly outcome: Run['outcome'];
  readonly message?: string;
}

interface Traces {
  readonly run: Run;
  readonly now: Date;
  readonly infs: InferenceService;
  /** Name of the ModelVersion that the job made, whether or not it is still there. */
  readonly made: string | undefined;
  /** The version that services which follow Production serve. */
  readonly current: ModelVersion | undefined;
  readonly job: TrainingJob | undefined;
  readonly version: ModelVersion | undefined;
}

interface OutcomeRule {
  readonly name: string;
  readonly when: (traces: Traces) => boolean;
  readonly says: (traces: Traces) => Ends;
}

const MOST = 256;
/** Jobs and versions come by two watches: so long a version may be named by its job and not be known here yet. */
const LAG_MS = 60_000;

const conditionOf = (object: TrainingJob | ModelVersion | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type);
const saidBy = (object: TrainingJob | ModelVersion | undefined, type: string): string =>
  conditionOf(object, type)?.message ?? '';

const isServed = ({ infs: { status }, version }: Traces): boolean =>
  version !== undefined &&
  status?.stable?.version === version.spec.version &&
  status.stable.digest === version.spec.artifact.digest;

const wasRolledBack = ({ infs: { status }, version }: Traces): boolean =>
  version !== undefined &&
  (status?.rejected?.some((r) => r.version === version.spec.version && r.digest === version.spec.artifact.digest) ??
    false);

const awaitsPeople = ({ version }: Traces): boolean => {
  const approved = conditionOf(version, 'Approved');
  return approved?.status === 'False' && conditionOf(version, 'GatesPassed')?.status === 'True';
};

const isReady = ({ version }: Traces): boolean => conditionOf(version, 'Ready')?.status === 'True';
const isReadyToFollow = (traces: Traces): boolean => isReady(traces) && traces.infs.spec.model.follow !== undefined;

/** It was seen, or its job ended so long ago that it must have been. */
const wasDeleted = ({ run, now, job, made, version }: Traces): boolean =>
  made !== undefined &&
  version === undefined &&
  (run.outcome !== 'Running' ||
    job === undefined ||
    Date.parse(job.status?.finishedAt ?? '') + LAG_MS <= now.getTime());

const isOvertaken = ({ version, current }: Traces): boolean =>
  version?.status?.stage === 'Production' && current !== undefined && current.metadata.name !== version.metadata.name;

/** First match wins. A job that is gone while nothing came of it can't lead to anything. */
export const OUTCOME_RULES: readonly OutcomeRule[] = [
  {
    name: 'a version that the service rolled back was rejected',
    when: wasRolledBack,
    says: ({ version }) => ({ outcome: 'Rejected', message: `${version?.metadata.name} was rolled back.` }),
  },
  { name: 'a version that is stable was promoted', when: isServed, says: () => ({ outcome: 'Promoted' }) },
  {
    name: 'a version that was archived was rejected',
    when: ({ version }) => version?.spec.stage === 'Archived',
    says: () => ({ outcome: 'Rejected', message: 'The version was archived before it served.' }),
  },
  {
    name: 'a version that may not serve was rejected',
    when: ({ version }) => conditionOf(version, 'Stalled')?.status === 'True',
    says: ({ version }) => ({ outcome: 'Rejected', message: saidBy(version, 'Stalled') }),
  },
  {
    name: 'a version that lacks an approval waits for people',
    when: awaitsPeople,
    says: ({ version }) => ({ outcome: 'AwaitingApproval', message: saidBy(version, 'Approved') }),
  },
  {
    name: 'a Ready version that nobody asks for Production is there to be promoted: a service that follows never sees it',
    when: (traces) => isReadyToFollow(traces) && traces.version?.spec.stage !== 'Production',
    says: ({ version }) => ({
      outcome: 'Ready',
      message: `${version?.metadata.name} goes to ${version?.spec.stage ?? 'Candidate'} and no further: kubectl slipway promote mv/${version?.metadata.name} --stage=Production has this service serve it.`,
    }),
  },
  {
    name: 'a version that another came after in Production is not what a service that follows serves',
    when: (traces) => isReadyToFollow(traces) && isOvertaken(traces),
    says: ({ version, current }) => ({
      outcome: 'Ready',
      message: `${current?.metadata.name} came to Production after ${version?.metadata.name}, and is what this service serves.`,
    }),
  },
  {
    name: 'a Ready version in Production is rolled out by a service that follows',
    when: (traces) => isReadyToFollow(traces) && traces.version?.status?.stage === 'Production',
    says: () => ({ outcome: 'RollingOut' }),
  },
  {
    name: 'a Ready version of a service that names its version is there to be named',
    when: (traces) => isReady(traces) && traces.infs.spec.model.follow === undefined,
    says: ({ version }) => ({
      outcome: 'Ready',
      message: `Write spec.model.version: ${version?.spec.version} to serve it.`,
    }),
  },
  {
    name: 'a version exists and is looked at',
    when: ({ version }) => version !== undefined,
    says: () => ({ outcome: 'Verifying' }),
  },
  {
    name: 'a version that was deleted was rejected',
    when: wasDeleted,
    says: ({ made }) => ({ outcome: 'Rejected', message: `ModelVersion ${made} was deleted before it served.` }),
  },
  {
    name: 'a model that is trained, and is published only when asked, waits for people',
    when: ({ job }) => job?.status?.phase === 'Trained',
    says: ({ job }) => ({ outcome: 'AwaitingApproval', message: saidBy(job, 'Reconciling') }),
  },
  {
    name: 'a job that failed made nothing',
    when: ({ job }) => job?.status?.phase === 'Failed',
    says: ({ job }) => ({ outcome: 'Failed', message: saidBy(job, 'Stalled') || saidBy(job, 'Ready') }),
  },
  {
    name: 'a job that was deleted made nothing',
    when: ({ job }) => job === undefined,
    says: () => ({ outcome: 'Failed', message: 'The TrainingJob was deleted before it made a version.' }),
  },
];

const RUNNING: Ends = { outcome: 'Running' };

/** Whether a version was made by the job of that name, or by a trial of the sweep of that name. */
export const wasMadeBy = ({ metadata, spec }: ModelVersion, trainingJob: string): boolean =>
  spec.provenance?.trainingJob === trainingJob || metadata.labels?.[LABELS.sweep] === trainingJob;

/** A job that its ttlAfterFinished took before its end was seen is known by what it made. A namesake's was made before. */
const madeBy = ({ trainingJob, startedAt }: Run, { modelVersions }: RetrainWorld): string | undefined =>
  [...modelVersions.values()].find(
    (version) =>
      wasMadeBy(version, trainingJob) && Date.parse(version.metadata.creationTimestamp ?? '') >= Date.parse(startedAt),
  )?.metadata.name;

/** What became of a run, from what is there now. A run that came to its end keeps its outcome. */
export function followRun(run: Run, world: RetrainWorld): Run {
  if (!UNDER_WAY.includes(run.outcome)) return run;
  const job = world.trainingJobs.get(run.trainingJob);
  const modelVersion =
    job?.status?.modelVersion ?? run.modelVersion ?? (job === undefined ? madeBy(run, world) : undefined);
  const version = modelVersion === undefined ? undefined : world.modelVersions.get(modelVersion);
  const { infs, now, current } = world;
  const traces = { run, now, infs, made: modelVersion, current, job, version };
  const { outcome, message } = OUTCOME_RULES.find(({ when }) => when(traces))?.says(traces) ?? RUNNING;
  const { message: _said, ...kept } = run;
  return {
    ...kept,
    outcome,
    ...(modelVersion === undefined ? {} : { modelVersion }),
    ...(message === undefined || message === '' ? {} : { message: message.slice(0, MOST) }),
    acceleratorSeconds: job === undefined ? run.acceleratorSeconds : acceleratorSecondsOf(job.status),
  };
}
