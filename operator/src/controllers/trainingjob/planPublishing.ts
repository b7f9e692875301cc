import type { PublishReport } from '@slipway/crds';
import type { Job } from '../../api/builtin.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { oneLine } from '../../domain/workload/oneLine.ts';
import { failuresOf, isDecisive, lastMessages, type PodFailure } from '../../domain/workload/podEnd.ts';
import { podWait } from '../../domain/workload/podWait.ts';
import { publishReport } from '../../domain/workload/report.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import { again, settled } from '../../kube/outcome.ts';
import type { Stored } from '../../kube/wire.ts';
import { PUBLISH_CONTAINER } from '../../render/publishJob.ts';
import { type Artifact, trainedModelVersion } from '../../render/trainedModelVersion.ts';
import { fail } from './fail.ts';
import { normal, warning } from './notes.ts';
import { observedStatus } from './observe.ts';
import { done, underWay } from './outlook.ts';
import type { Action, BareStatus, Plan, World } from './world.ts';

const LOOK_AGAIN_MS = 2_000;
/** Rest before a store that could not be written to is tried again; the publish Job itself tries three times. */
const RETRY_MS = 60_000;

interface Step {
  readonly actions?: readonly Action[];
  readonly status?: Partial<BareStatus>;
  readonly reason?: string;
  readonly message: string;
  readonly soon?: boolean;
}

const publishing = (world: World, { actions = [], status = {}, reason = 'Publishing', message, soon }: Step): Plan => ({
  actions,
  status: { ...observedStatus(world), ...status },
  observed: underWay(reason, message),
  events: [],
  next: soon === true ? again(LOOK_AGAIN_MS, message) : settled,
});

/** End of training: what the Job says, else the start of publishing, which followed at once. */
function trainedAt({ attempt, publish, now }: World): string {
  const end = attempt.job && jobEnd(attempt.job);
  return (end?.kind === 'Complete' ? end.at : undefined) ?? publish.job?.metadata.creationTimestamp ?? rfc3339(now);
}

const createModelVersion = (world: World, version: string, artifact: Artifact): Plan => {
  const { tj } = world;
  const { startedAt, image = tj.spec.image } = observedStatus(world);
  const run = { version, artifact, image, startedAt, finishedAt: trainedAt(world) };
  return publishing(world, {
    actions: [{ kind: 'CreateModelVersion', modelVersion: trainedModelVersion(tj, run) }],
    message: `The artifact is stored; ModelVersion ${tj.spec.model.name}-${version} is being created.`,
    soon: true,
  });
};

const succeed = (world: World, name: string): Plan => {
  const message = `Trained and published as ModelVersion ${name}.`;
  return {
    actions: [],
    status: { ...observedStatus(world), phase: 'Succeeded', finishedAt: rfc3339(world.now), modelVersion: name },
    observed: done('Succeeded', message),
    events: [normal('Published', message)],
    next: settled,
  };
};

/** A name is a promise of content: where it is bound to another digest, this job's model needs another version. */
function nameVersion(world: World, artifact: Artifact): Plan {
  const { modelVersion, tj } = world;
  if (modelVersion === undefined) return createModelVersion(world, tj.status?.version ?? '', artifact);
  const { digest } = modelVersion.spec.artifact;
  if (digest === artifact.digest) return succeed(world, modelVersion.metadata.name);
  return fail(
    world,
    'VersionTaken',
    `ModelVersion ${modelVersion.metadata.name} exists with digest ${digest}, and this job made ${artifact.digest}. The artifact stays at ${artifact.uri}; train under another version, or NextMinor.`,
  );
}

function readPublished(world: World): Plan {
  const messages = lastMessages(world.publish.pods, PUBLISH_CONTAINER);
  const { job } = world.publish;
  if (messages.length === 0 && job !== undefined) {
    return publishing(world, {
      actions: [{ kind: 'DeleteJob', job }],
      message: 'The pod that published is gone, and its report with it: publishing again, which stores nothing twice.',
      soon: true,
    });
  }
  const reports = messages.map(publishReport);
  const report = reports.find((r): r is PublishReport => r !== undefined);
  if (report === undefined) {
    return fail(
      world,
      'PublishFailed',
      `The publisher ended well but left no report: "${oneLine(messages[0] ?? '', 256)}".`,
    );
  }
  return publishing(world, {
    status: { artifact: { uri: report.uri, digest: report.digest } },
    message: `The artifact is stored as ${report.digest}.`,
    soon: true,
  });
}

function publishFailure({ publish: { job, pods } }: World): PodFailure | 'unknown' | undefined {
  const failures = failuresOf(pods, PUBLISH_CONTAINER);
  const decisive = failures.find(isDecisive);
  if (decisive !== undefined) return decisive;
  const end = job && jobEnd(job);
  return end?.kind === 'Failed' ? (failures.at(-1) ?? 'unknown') : undefined;
}

const PODS_GONE = { reason: 'PublishFailed', message: 'The publish Job failed and none of its pods is left.' };

/**
 * Hours of training lie in the workspace, and nothing is wrong with them: a store that is away, is full or refuses its
 * credentials is asked again until somebody has mended it.
 */
function retryPublishing(world: World, job: Stored<Job>, { reason, message }: typeof PODS_GONE): Plan {
  const end = jobEnd(job);
  const rest = Date.parse(end?.at ?? '') + RETRY_MS - world.now.getTime();
  const said = `${message.replace(/\.?$/, '.')} The trained model waits in the workspace; it is tried again every ${RETRY_MS / 1000} s.`;
  const step = publishing(world, { reason, message: said });
  if (rest > 0) return { ...step, events: [warning(reason, said)], next: again(rest, said) };
  const goes = job.metadata.deletionTimestamp !== undefined;
  return { ...step, actions: goes ? [] : [{ kind: 'DeleteJob', job }], next: again(LOOK_AGAIN_MS, said) };
}

/** A fault of what was trained is final: publishing it again would find the same. */
function failPublishing(world: World, job: Stored<Job>, failure: PodFailure | 'unknown'): Plan {
  if (failure === 'unknown') return retryPublishing(world, job, PODS_GONE);
  const { pod, exitCode, message } = failure;
  if (failure.reason !== undefined && !isDecisive(failure)) {
    return retryPublishing(world, job, { reason: failure.reason, message: `Publishing failed: ${message}` });
  }
  const reason = failure.outOfMemory ? 'OutOfMemory' : (failure.reason ?? 'PublishFailed');
  return fail(world, reason, `Publishing failed: pod ${pod} ended with exit code ${exitCode ?? 'unknown'}: ${message}`);
}

/** Training succeeded: store the output, then name it. Each step is safe to repeat. */
export function planPublishing(world: World): Plan {
  const { tj, publish } = world;
  const { artifact, version = '', attempt = 0 } = tj.status ?? {};
  if (artifact !== undefined) return nameVersion(world, artifact);
  if (publish.job === undefined) {
    return publishing(world, {
      actions: [{ kind: 'StartPublish', version, attempt }],
      message: `The output of attempt ${attempt} is being stored in ${tj.spec.publish.store}.`,
    });
  }
  const failure = publishFailure(world);
  if (failure !== undefined) return failPublishing(world, publish.job, failure);
  if (jobEnd(publish.job) !== undefined) return readPublished(world);
  const wait = podWait(publish.pods);
  return publishing(world, {
    ...(wait === undefined ? {} : { reason: wait.reason }),
    message: wait?.message ?? `The output of attempt ${attempt} is being stored in ${tj.spec.publish.store}.`,
  });
}
