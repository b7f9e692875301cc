import type { Guard } from '@slipway/crds';
import { type Job, jobs, type Pod, pods } from '../../api/builtin.ts';
import type { InferenceService } from '../../api/kinds.ts';
import type { Plan } from '../../domain/rollout/plan.ts';
import type { CandidateStatus, ExternalFinding } from '../../domain/rollout/world.ts';
import { type JobEnd, jobEnd } from '../../domain/workload/jobEnd.ts';
import { terminated } from '../../domain/workload/podEnd.ts';
import type { Client } from '../../kube/client.ts';
import { type Key, keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { Background } from '../../measure/external/background.ts';
import { readTest } from '../../measure/external/testReport.ts';
import { guardJob, guardJobName, ROLLOUT_ANNOTATION, TEST_CONTAINER } from '../../render/guardJob.ts';
import { ensureChild } from '../jobs/ensureChild.ts';
import type { Hands } from './apply.ts';
import type { Reading } from './read.ts';

type Infs = Stored<InferenceService>;
type JobGuard = NonNullable<Guard['job']>;

/** The last line and what may stand above it; a line that is longer is no report. */
const TAIL_LINES = 5;
const TAIL_BYTES = 16 * 1024;

const podsOf = (client: Client, job: Stored<Job>, signal: AbortSignal): Promise<Stored<Pod>[]> =>
  client.list(pods, job.metadata.namespace, {
    labelSelector: `batch.kubernetes.io/controller-uid=${job.metadata.uid}`,
    signal,
  });

/** A log that can't be read (the node is gone) leaves the exit code, which the pod tells. */
async function resultOf(client: Client, guard: JobGuard, job: Stored<Job>, end: JobEnd, signal: AbortSignal) {
  const pod = (await podsOf(client, job, signal))[0];
  const options = { container: TEST_CONTAINER, tailLines: TAIL_LINES, limitBytes: TAIL_BYTES, signal };
  const log = pod && (await client.podLog(keyOf(pod), options).catch(() => undefined));
  return readTest(guard, { job: end, exitCode: pod && terminated(pod, TEST_CONTAINER)?.exitCode, log });
}

/**
 * What the test jobs of a step have found. A result that was read once stays known for the step: a Job that somebody
 * deletes afterwards is not run a second time (each run is another look at the same question).
 */
export class GuardTests {
  readonly #client: Client;
  readonly #results: Background<ExternalFinding>;

  constructor(client: Client, changed: (service: Key) => void) {
    this.#client = client;
    this.#results = new Background(changed);
  }

  read(infs: Infs, rolloutID: string, { step }: CandidateStatus, found: readonly Stored<Job>[]) {
    const group = `${rolloutID}/${step}`;
    const results = (infs.spec.rollout.guards ?? []).flatMap(({ name, job: guard }): [string, ExternalFinding][] => {
      if (guard === undefined) return [];
      const jobName = guardJobName(infs.metadata.name, { guard: name, rolloutID, step });
      const job = found.find(({ metadata }) => metadata.name === jobName);
      const end = job && jobEnd(job);
      const find = job && end && ((signal: AbortSignal) => resultOf(this.#client, guard, job, end, signal));
      const result = this.#results.get(keyOf(infs), group, name, find);
      if (result !== undefined) return [[name, result]];
      return job === undefined ? [] : [[name, { kind: 'Running' }]];
    });
    return Object.fromEntries(results);
  }

  forget(service: Key): void {
    this.#results.forget(service);
  }
}

/** Starts the tests that a plan asks for and that neither run nor have ended. */
export async function startTests({ client, fieldManager }: Hands, reading: Reading, plan: Plan, signal: AbortSignal) {
  const { infs, world } = reading;
  const { rolloutID, candidate, stable } = plan.status;
  if (rolloutID === undefined || candidate === undefined) return;
  for (const name of plan.tests) {
    const guard = infs.spec.rollout.guards?.find((g) => g.name === name)?.job;
    if (guard === undefined || world.external?.[name] !== undefined) continue;
    const test = { guard: name, rolloutID, step: candidate.step };
    const versions = { candidate: candidate.revision, stable: stable?.revision, version: candidate.version };
    const job = guardJob(infs, guard, test, versions);
    await ensureChild(client, jobs, job, infs, { fieldManager, signal, once: true });
  }
}

/**
 * Removes the tests of rollouts that are over. Those of one that was rolled back stay until the next begins: their logs
 * are what a person looks for then.
 */
export async function removeTests({ client }: Hands, { children }: Reading, { status }: Plan, signal: AbortSignal) {
  const kept = status.candidate === undefined || status.candidate.phase === 'Complete' ? undefined : status.rolloutID;
  for (const job of children.tests) {
    if (job.metadata.annotations?.[ROLLOUT_ANNOTATION] === kept && kept !== undefined) continue;
    await client.delete(jobs, keyOf(job), { signal, uid: job.metadata.uid, propagation: 'Background' });
  }
}
