import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import { chooseVersion, refusalOf, type TakenVersion, type VersionChoice } from '../../domain/training/version.ts';
import type { Client } from '../../kube/client.ts';
import { rfc3339 } from '../../kube/conditions.ts';
import type { ControllerContext, EventNote } from '../../kube/contracts.ts';
import { keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { writeStatus } from '../jobs/writeStatus.ts';
import { KnownClaims } from './knownClaims.ts';
import { normal, warning } from './notes.ts';
import { stalled, underWay } from './outlook.ts';

export interface ClaimOptions {
  readonly now: Date;
  readonly fieldManager: string;
  readonly signal: AbortSignal;
}

/**
 * A version that is free by all that is known, and of which the server has no object: a person's ModelVersion may have
 * come since. Each look at the server that finds one adds it to what is taken.
 */
async function choose(
  client: Client,
  tj: Stored<TrainingJob>,
  taken: readonly TakenVersion[],
  signal: AbortSignal,
): Promise<VersionChoice> {
  const { metadata, spec } = tj;
  const choice = chooseVersion(spec.model.version, taken);
  if (choice.kind !== 'free') return choice;
  const name = `${spec.model.name}-${choice.version}`;
  const made = await client.get(modelVersions, { namespace: metadata.namespace ?? '', name }, { signal });
  if (made === undefined) return choice;
  const late = { version: choice.version, by: `ModelVersion ${name}`, isMade: true };
  return choose(client, tj, [...taken, late], signal);
}

interface Claiming {
  readonly client: Client;
  readonly known: KnownClaims;
}

async function claim(
  claiming: Claiming,
  key: Stored<TrainingJob>,
  options: ClaimOptions,
): Promise<EventNote | undefined> {
  const { client, known } = claiming;
  const tj = await client.get(trainingJobs, keyOf(key), { signal: options.signal });
  if (tj === undefined || tj.status?.version !== undefined) return undefined;
  const { conditions: _c, observedGeneration: _g, ...status } = tj.status ?? {};
  const choice = await choose(client, tj, await known.taken(tj, options.signal), options.signal);
  if (choice.kind !== 'free') {
    const { reason, message } = refusalOf(tj.spec.model.name, choice);
    await writeStatus(client, trainingJobs, tj, {
      ...options,
      status: { ...status, phase: 'Failed', version: choice.version, finishedAt: rfc3339(options.now) },
      observed: stalled(reason, message),
    });
    return warning(reason, message);
  }
  const message = `The job will make ModelVersion ${tj.spec.model.name}-${choice.version}.`;
  const claimed = await writeStatus(client, trainingJobs, tj, {
    ...options,
    status: { phase: 'Pending', attempt: 0, restarts: 0, ...status, version: choice.version },
    observed: underWay('Pending', message),
  });
  if (claimed !== undefined) known.remember(claimed);
  return normal('VersionClaimed', message);
}

/** Claims a version for a job that has none and says what to tell about it. */
export type VersionClaims = (tj: Stored<TrainingJob>, options: ClaimOptions) => Promise<EventNote | undefined>;

/**
 * Fixes the version a job makes, by writing it to its status. Claims of one model are made one at a time: two jobs that
 * both say NextMinor would otherwise agree.
 */
export function versionClaims(context: Pick<ControllerContext, 'client' | 'store' | 'now'>): VersionClaims {
  const claiming = { client: context.client, known: new KnownClaims(context) };
  const turns = new Map<string, Promise<unknown>>();
  return (tj, options) => {
    const model = `${tj.metadata.namespace}/${tj.spec.model.name}`;
    const turn = (turns.get(model) ?? Promise.resolve()).then(() => claim(claiming, tj, options));
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    turns.set(model, ended);
    void ended.then(() => turns.get(model) === ended && turns.delete(model));
    return turn;
  };
}
