import { type ModelVersion, modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import { chooseVersion, type TakenVersion, type VersionChoice } from '../../domain/training/version.ts';
import type { Client } from '../../kube/client.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { writeStatus } from '../jobs/writeStatus.ts';
import { normal, warning } from './notes.ts';
import { stalled, underWay } from './outlook.ts';

export interface ClaimOptions {
  readonly now: Date;
  readonly fieldManager: string;
  readonly signal: AbortSignal;
}

const madeOf = (model: string, list: readonly ModelVersion[]): TakenVersion[] =>
  list
    .filter(({ spec }) => spec.model === model)
    .map(({ metadata, spec }) => ({ version: spec.version, by: `ModelVersion ${metadata.name}`, isMade: true }));

/** A job that failed makes no version any more, so its claim is void. */
const claimedBy = (tj: Stored<TrainingJob>, list: readonly Stored<TrainingJob>[]): TakenVersion[] =>
  list
    .filter(({ metadata, spec, status }) => {
      const other = metadata.uid !== tj.metadata.uid && spec.model.name === tj.spec.model.name;
      return other && status?.phase !== 'Failed' && metadata.deletionTimestamp === undefined;
    })
    .flatMap(({ metadata, status }) =>
      status?.version === undefined
        ? []
        : [{ version: status.version, by: `TrainingJob ${metadata.name}`, isMade: false }],
    );

async function takenVersions(client: Client, tj: Stored<TrainingJob>, signal: AbortSignal): Promise<TakenVersion[]> {
  const { namespace } = tj.metadata;
  const [made, training] = await Promise.all([
    client.list(modelVersions, namespace, { signal }),
    client.list(trainingJobs, namespace, { signal }),
  ]);
  return [...madeOf(tj.spec.model.name, made), ...claimedBy(tj, training)];
}

const refusal = (model: string, choice: Exclude<VersionChoice, { kind: 'free' }>) =>
  choice.kind === 'taken'
    ? {
        reason: 'VersionTaken',
        message: `Version ${choice.version} of ${model} is taken by ${choice.by}: name another version, or NextMinor.`,
      }
    : {
        reason: 'VersionNotNewest',
        message: `Version ${choice.version} of ${model} is lower than ${choice.newest}, its newest: name a higher version, or NextMinor.`,
      };

async function claim(client: Client, key: Stored<TrainingJob>, options: ClaimOptions): Promise<EventNote | undefined> {
  const tj = await client.get(trainingJobs, keyOf(key), { signal: options.signal });
  if (tj === undefined || tj.status?.version !== undefined) return undefined;
  const { conditions: _c, observedGeneration: _g, ...status } = tj.status ?? {};
  const choice = chooseVersion(tj.spec.model.version, await takenVersions(client, tj, options.signal));
  if (choice.kind !== 'free') {
    const { reason, message } = refusal(tj.spec.model.name, choice);
    await writeStatus(client, trainingJobs, tj, {
      ...options,
      status: { ...status, phase: 'Failed', version: choice.version, finishedAt: rfc3339(options.now) },
      observed: stalled(reason, message),
    });
    return warning(reason, message);
  }
  const message = `The job will make ModelVersion ${tj.spec.model.name}-${choice.version}.`;
  await writeStatus(client, trainingJobs, tj, {
    ...options,
    status: { phase: 'Pending', attempt: 0, restarts: 0, ...status, version: choice.version },
    observed: underWay('Pending', message),
  });
  return normal('VersionClaimed', message);
}

/** Claims a version for a job that has none and says what to tell about it. */
export type VersionClaims = (tj: Stored<TrainingJob>, options: ClaimOptions) => Promise<EventNote | undefined>;

/**
 * Fixes the version a job makes, by writing it to its status. What is taken is read from the server, not a cache, and
 * claims are made one at a time: two jobs that both say NextMinor would otherwise read the same list and agree.
 */
export function versionClaims(client: Client): VersionClaims {
  let last: Promise<unknown> = Promise.resolve();
  return (tj, options) => {
    const turn = last.then(() => claim(client, tj, options));
    last = turn.catch(() => undefined);
    return turn;
  };
}
