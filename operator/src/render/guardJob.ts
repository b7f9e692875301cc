import { createHash } from 'node:crypto';
import type { Guard } from '@slipway/crds';
import { LABELS } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import { parseDuration } from '../domain/duration.ts';
import type { Stored } from '../kube/wire.ts';
import { childName } from './childName.ts';
import { containerResources } from './placement.ts';
import { type Container, restrictedPod } from './pod.ts';
import { predictorMeta, predictorNames } from './predictorChildren.ts';

export const TEST_CONTAINER = 'test';
/** Component of the Jobs that guards have: they are no predictors, whatever service they test. */
export const TEST_COMPONENT = 'test';
/** Which rollout a test belongs to: it is removed with it. */
export const ROLLOUT_ANNOTATION = 'slipway.dev/rollout';

/** One test: of a guard, in a step of a rollout. */
export interface GuardTest {
  readonly guard: string;
  readonly rolloutID: string;
  readonly step: number;
}

/** What the container is told: revisions as their Services name them. */
export interface TestedVersions {
  readonly candidate: string;
  readonly stable: string | undefined;
  readonly version: string;
}

/** The name is that of the test and of nothing else, so the same test is never made twice. */
export function guardJobName(service: string, { guard, rolloutID, step }: GuardTest): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([rolloutID, step, guard]))
    .digest('hex')
    .slice(0, 10);
  return childName(service, `test-${hash}`);
}

const urlOf = ({ metadata: { name, namespace = '' } }: Stored<InferenceService>, revision: string): string =>
  `http://${predictorNames(name).revision(revision)}.${namespace}.svc`;

type JobGuard = NonNullable<Guard['job']>;

function container(
  infs: Stored<InferenceService>,
  guard: JobGuard,
  test: GuardTest,
  versions: TestedVersions,
): Container {
  const { image, command, args, env = [], resources } = guard;
  const { candidate, stable, version } = versions;
  const ours = [
    { name: 'SLIPWAY_CANDIDATE_URL', value: urlOf(infs, candidate) },
    ...(stable === undefined ? [] : [{ name: 'SLIPWAY_STABLE_URL', value: urlOf(infs, stable) }]),
    { name: 'SLIPWAY_MODEL_VERSION', value: version },
    { name: 'SLIPWAY_STEP', value: String(test.step) },
  ];
  const names = ours.map(({ name }) => name);
  return {
    name: TEST_CONTAINER,
    image,
    ...(command === undefined ? {} : { command: [...command] }),
    ...(args === undefined ? {} : { args: [...args] }),
    env: [...env.filter(({ name }) => !names.includes(name)), ...ours],
    resources: containerResources(resources, undefined),
  };
}

/**
 * A container of the user's that tests the candidate. One pod, once: a test that failed has failed, and another try
 * would be another look at the same question. It gets no token and is as restricted as everything we run.
 */
export function guardJob(
  infs: Stored<InferenceService>,
  guard: JobGuard,
  test: GuardTest,
  versions: TestedVersions,
): Job {
  const meta = predictorMeta(infs, guardJobName(infs.metadata.name, test));
  const labels = { ...meta.labels, [LABELS.component]: TEST_COMPONENT };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...meta, labels, annotations: { [ROLLOUT_ANNOTATION]: test.rolloutID } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: Math.max(1, Math.ceil(parseDuration(guard.timeout) / 1000)),
      template: {
        metadata: { labels },
        spec: restrictedPod({
          containers: [container(infs, guard, test, versions)],
          extra: { restartPolicy: 'Never' },
        }),
      },
    },
  };
}
