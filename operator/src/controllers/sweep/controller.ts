import { ANNOTATIONS, LABELS } from '@slipway/crds/contract';
import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import { goesAt } from '../../domain/training/expiry.ts';
import {
  planSweep,
  type SweepAction,
  type SweepPlan,
  trialHeld,
  trialInvalid,
} from '../../domain/training/sweep/plan.ts';
import type { SweepWorld } from '../../domain/training/sweep/standing.ts';
import { trialJob } from '../../domain/training/sweep/trial.ts';
import type { TakenVersion } from '../../domain/training/version.ts';
import {
  type ControllerContext,
  type ControllerSpec,
  type Grant,
  type Reconciler,
  source,
} from '../../kube/contracts.ts';
import { isForbidden, isInvalid } from '../../kube/errors.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { type Key, keyOf, keyText } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { childName } from '../../render/childName.ts';
import { ensureChild, NameTaken } from '../jobs/ensureChild.ts';
import { isOwnedBy } from '../jobs/jobWorld.ts';
import { writeStatus } from '../jobs/writeStatus.ts';
import { Latest } from '../latest.ts';

const NAME = 'sweep';
const FIELD_MANAGER = `slipway-${NAME}`;
/** Names of TrainingJobs may have so many characters. */
const LONGEST_JOB = 40;
/** Between two tries of what a person must make possible first. */
const REFUSED_MS = 30_000;
const BY_SWEEP = 'sweep';

const GRANTS: readonly Grant[] = [
  { resource: trainingJobs, verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { resource: trainingJobs, verbs: ['patch'], subresource: 'status' },
  { resource: modelVersions, verbs: ['list'] },
];

type Tj = Stored<TrainingJob>;

export const trialName = (sweep: string, index: number): string => childName(sweep, `t${index}`, LONGEST_JOB);

/** Keys of the sweeps that an object concerns: itself, or the one that it is a trial of. */
const sweepsOf = (tj: TrainingJob): Key[] => {
  if (tj.spec.sweep !== undefined) return [keyOf(tj)];
  const { metadata } = tj;
  const parent = metadata.labels?.[LABELS.sweep];
  return parent === undefined ? [] : [{ namespace: metadata.namespace ?? '', name: parent }];
};

class SweepReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #latest: Latest<TrainingJob>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#latest = new Latest(context.client, trainingJobs);
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(trainingJobs).get(key);
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) {
      this.#latest.forget(key);
      return settled;
    }
    if (cached.spec.sweep === undefined) return settled;
    const tj = await this.#latest.of(cached, signal);
    if (tj === undefined) return settled;
    const world = await this.#read(tj, signal);
    const plan = planSweep(world);
    if (plan === undefined) return this.#keep(tj, signal);
    try {
      for (const action of plan.actions) await this.#act(tj, action, signal);
    } catch (error) {
      return this.#refuse(world, error, signal);
    }
    return this.#write(tj, plan, signal);
  }

  /** What keeps a trial from being made is told: a name in use, a quota, a policy, or what the API server says of it. */
  async #refuse(world: SweepWorld, error: unknown, signal: AbortSignal): Promise<Outcome> {
    const { tj } = world;
    const message = `No trial can be made: ${error instanceof Error ? error.message : String(error)}`;
    if (isInvalid(error)) {
      const plan = trialInvalid(world, message);
      for (const action of plan.actions) await this.#act(tj, action, signal);
      return this.#write(tj, plan, signal);
    }
    if (!isForbidden(error) && !(error instanceof NameTaken)) throw error;
    const reason = isForbidden(error) ? 'Forbidden' : 'NameTaken';
    await this.#write(tj, trialHeld(world, reason, message), signal);
    return again(REFUSED_MS, message);
  }

  /** A finished sweep goes at its time, and its trials with it; the ModelVersion stays. */
  async #keep(tj: Tj, signal: AbortSignal): Promise<Outcome> {
    const goes = goesAt(tj);
    if (goes === undefined) return settled;
    const left = goes - this.#context.now().getTime();
    if (left > 0) return again(left, 'the finished sweep is deleted');
    const { uid } = tj.metadata;
    await this.#context.client.delete(trainingJobs, keyOf(tj), { signal, uid, propagation: 'Background' });
    return settled;
  }

  async #read(tj: Tj, signal: AbortSignal): Promise<SweepWorld> {
    const { name } = tj.metadata;
    const all = this.#context.store(trainingJobs).by(BY_SWEEP, keyText(keyOf(tj)));
    const own = all.filter((trial) => isOwnedBy(trial, tj) && trial.metadata.deletionTimestamp === undefined);
    return {
      tj,
      now: this.#context.now(),
      trials: new Map(own.map((trial) => [trial.metadata.name, trial])),
      nameOf: (index) => trialName(name, index),
      ...(tj.status?.phase === undefined ? { made: await this.#madeOf(tj, signal) } : {}),
    };
  }

  async #madeOf({ metadata, spec }: Tj, signal: AbortSignal): Promise<TakenVersion[]> {
    const all = await this.#context.client.list(modelVersions, metadata.namespace, { signal });
    return all
      .filter((version) => version.spec.model === spec.model.name)
      .map((version) => ({ version: version.spec.version, by: `ModelVersion ${version.metadata.name}`, isMade: true }));
  }

  async #act(tj: Tj, action: SweepAction, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    if (action.kind === 'StartTrial') {
      const trial = trialJob(tj, action.name, action.parameters);
      return ensureChild(client, trainingJobs, trial, tj, { fieldManager: FIELD_MANAGER, signal, once: true });
    }
    const { trial } = action;
    const { uid } = trial.metadata;
    if (action.kind === 'Delete')
      return client.delete(trainingJobs, keyOf(trial), { signal, uid, propagation: 'Background' });
    const change =
      action.kind === 'Publish'
        ? { metadata: { annotations: { [ANNOTATIONS.publish]: uid } } }
        : { spec: { suspend: tj.spec.suspend === true } };
    if (action.kind === 'Publish' && trial.metadata.annotations?.[ANNOTATIONS.publish] === uid) return;
    await client.merge(trainingJobs, keyOf(trial), change, { signal });
  }

  async #write(tj: Tj, { status, observed, events }: SweepPlan, signal: AbortSignal): Promise<Outcome> {
    const { client, events: recorder, now } = this.#context;
    const options = { status, observed, now: now(), fieldManager: FIELD_MANAGER, signal };
    const written = await writeStatus(client, trainingJobs, tj, options);
    if (written !== undefined) {
      this.#latest.remember(written);
      for (const note of events) recorder.emit(tj, note);
    }
    return settled;
  }
}

/** Searches parameters: a TrainingJob for each trial, and one ModelVersion, of the best. */
export const sweepController = (): ControllerSpec => ({
  name: NAME,
  grants: GRANTS,
  sources: [
    source({
      resource: trainingJobs,
      toKeys: sweepsOf,
      indexes: {
        [BY_SWEEP]: ({ metadata: { namespace = '', labels = {} } }) => {
          const name = labels[LABELS.sweep];
          return name === undefined ? [] : [keyText({ namespace, name })];
        },
      },
    }),
  ],
  build: (context) => new SweepReconciler(context),
});
