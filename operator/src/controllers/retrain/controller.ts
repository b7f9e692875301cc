import { isDeepStrictEqual } from 'node:util';
import {
  type InferenceService,
  inferenceServices,
  type ModelVersion,
  modelVersions,
  type TrainingJob,
  trainingJobs,
} from '../../api/kinds.ts';
import { currentOf } from '../../domain/registry/current.ts';
import { wasMadeBy } from '../../domain/retrain/outcome.ts';
import { planRetraining, RETRAINING } from '../../domain/retrain/plan.ts';
import { NO_RUNS, type RetrainPlan, type RetrainWorld, type Run, UNDER_WAY } from '../../domain/retrain/world.ts';
import { mergeConditions } from '../../kube/conditions.ts';
import {
  type ControllerContext,
  type ControllerSpec,
  type Grant,
  type Reconciler,
  type Store,
  source,
} from '../../kube/contracts.ts';
import { isForbidden, isInvalid } from '../../kube/errors.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { type Key, keyOf } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { childName } from '../../render/childName.ts';
import { ensureChild, NameTaken } from '../jobs/ensureChild.ts';
import { Latest } from '../latest.ts';
import { applyPart } from '../partOfStatus.ts';

const NAME = 'retrain';
const FIELD_MANAGER = `slipway-${NAME}`;
/** Names of TrainingJobs may have so many characters. */
const LONGEST_JOB = 40;
/** Between two tries of what a person must make possible first. */
const REFUSED_MS = 30_000;

const GRANTS: readonly Grant[] = [
  { resource: inferenceServices, verbs: ['get', 'list', 'watch'] },
  { resource: inferenceServices, verbs: ['patch'], subresource: 'status' },
  { resource: trainingJobs, verbs: ['get', 'list', 'watch', 'create', 'patch'] },
  { resource: modelVersions, verbs: ['get', 'list', 'watch'] },
];

type Infs = Stored<InferenceService>;

const conditionOf = ({ status }: InferenceService) => status?.conditions?.find(({ type }) => type === RETRAINING);
const isConcerned = (infs: InferenceService): boolean =>
  infs.spec.retrain !== undefined || infs.spec.drift?.action === 'Retrain' || conditionOf(infs) !== undefined;

export const retrainingName = (service: string, number: number): string =>
  childName(service, `r${number}`, LONGEST_JOB);

class RetrainReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #latest: Latest<InferenceService>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#latest = new Latest(context.client, inferenceServices);
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(inferenceServices).get(key);
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) {
      this.#latest.forget(key);
      return settled;
    }
    if (!isConcerned(cached)) return settled;
    const infs = await this.#latest.of(cached, signal);
    if (infs === undefined) return settled;
    const world = await this.#read(infs, signal);
    const wanted = planRetraining(world);
    try {
      if (wanted.create !== undefined) await this.#create(wanted.create, infs, signal);
    } catch (error) {
      const held = heldBy(error, world);
      if (held === undefined) throw error;
      return this.#write(world, held, signal);
    }
    return this.#write(world, wanted, signal);
  }

  /**
   * The job of a run. Jobs and services come by two watches: one that was made a moment ago may not be cached when the
   * run that it is for is read back, and must not count as deleted.
   */
  async #jobOf({ trainingJob: name, outcome }: Run, namespace: string, signal: AbortSignal) {
    const { client, store } = this.#context;
    const cached = store(trainingJobs).get({ namespace, name });
    return cached ?? (outcome === 'Running' ? client.get(trainingJobs, { namespace, name }, { signal }) : undefined);
  }

  /** The next run is asked of the server: a cache that lags would let one be made twice. */
  async #read(infs: Infs, signal: AbortSignal): Promise<RetrainWorld> {
    const { client, store, now } = this.#context;
    const { name, namespace = '' } = infs.metadata;
    const { number, runs = [] } = infs.status?.retraining ?? NO_RUNS;
    const nameOf = (n: number): string => retrainingName(name, n);
    const jobs = new Map<string, Stored<TrainingJob>>();
    const underWay = runs.filter(({ outcome }) => UNDER_WAY.includes(outcome));
    const known = underWay.map((run) => run.trainingJob);
    for (const run of underWay) keep(jobs, await this.#jobOf(run, namespace, signal));
    const adoptable = await client.get(trainingJobs, { namespace, name: nameOf(number + 1) }, { signal });
    if (adoptable?.metadata.ownerReferences?.some(({ uid }) => uid === infs.metadata.uid)) keep(jobs, adoptable);
    const made = [...jobs.values()].map(({ status }) => status?.modelVersion);
    const versions = new Map<string, ModelVersion>();
    for (const version of [...made, ...runs.map((run) => run.modelVersion)]) {
      if (version !== undefined) keep(versions, store(modelVersions).get({ namespace, name: version }));
    }
    const from = infs.spec.retrain?.from;
    const pattern = from === undefined ? undefined : store(trainingJobs).get({ namespace, name: from });
    const siblings = store(modelVersions)
      .list(namespace)
      .filter(({ spec }) => spec.model === infs.spec.model.name);
    const current = currentOf(siblings);
    for (const version of siblings) {
      if (known.some((name) => wasMadeBy(version, name))) keep(versions, version);
    }
    return { infs, now: now(), pattern, trainingJobs: jobs, modelVersions: versions, current, nameOf };
  }

  #create(job: TrainingJob, infs: Infs, signal: AbortSignal): Promise<void> {
    const options = { fieldManager: FIELD_MANAGER, signal, once: true };
    return ensureChild(this.#context.client, trainingJobs, job, infs, options);
  }

  async #write({ infs, now }: RetrainWorld, plan: RetrainPlan, signal: AbortSignal): Promise<Outcome> {
    const { client, events } = this.#context;
    const stored = [conditionOf(infs)].filter((found) => found !== undefined);
    const seen = plan.condition === undefined ? [] : [plan.condition];
    const kept = plan.condition === undefined ? [] : stored;
    const conditions = mergeConditions(kept, seen, infs.metadata.generation ?? 0, now);
    const same = isDeepStrictEqual(plan.status, infs.status?.retraining) && isDeepStrictEqual(conditions, stored);
    if (!same) {
      const status = { conditions, ...(plan.status === undefined ? {} : { retraining: plan.status }) };
      this.#latest.remember(await applyPart(infs, status, { client, fieldManager: FIELD_MANAGER, now, signal }));
      for (const note of plan.events) events.emit(infs, note);
    }
    return plan.next;
  }
}

function keep<T extends KubeObject>(into: Map<string, T>, object: T | undefined): void {
  if (object !== undefined) into.set(object.metadata.name, object);
}

const reasonOf = (error: unknown): string | undefined => {
  if (error instanceof NameTaken) return 'NameTaken';
  if (isForbidden(error)) return 'Forbidden';
  return isInvalid(error) ? 'JobInvalid' : undefined;
};

/** What only a person can mend, such as a quota or a policy, is told; undefined: it passes by itself. */
function heldBy(error: unknown, { infs }: RetrainWorld): RetrainPlan | undefined {
  const reason = reasonOf(error);
  if (reason === undefined || !(error instanceof Error)) return undefined;
  const message = `No retraining can start: ${error.message}`;
  return {
    status: infs.status?.retraining,
    condition: { type: RETRAINING, status: 'False', reason, message },
    events: [],
    next: again(REFUSED_MS, message),
  };
}

/** Set once the controller is built; until then nothing is queued by another's change. */
interface Concerned {
  services: Store<InferenceService> | undefined;
}

/** A model's jobs and versions may be news to each service of that model that retrains. */
const ofModel =
  <T extends KubeObject>(concerned: Concerned, modelOf: (object: T) => string) =>
  (object: T): Key[] =>
    (concerned.services?.list(object.metadata.namespace) ?? [])
      .filter((infs) => isConcerned(infs) && infs.spec.model.name === modelOf(object))
      .map(keyOf);

/** Trains models anew by schedule, on drift, or when asked, within cooldown, budget and the loop guard. */
export const retrainController = (): ControllerSpec => {
  const concerned: Concerned = { services: undefined };
  return {
    name: NAME,
    grants: GRANTS,
    sources: [
      source({ resource: inferenceServices, toKeys: (infs) => (isConcerned(infs) ? [keyOf(infs)] : []) }),
      source({ resource: trainingJobs, toKeys: ofModel(concerned, ({ spec }) => spec.model.name) }),
      source({ resource: modelVersions, toKeys: ofModel(concerned, ({ spec }) => spec.model) }),
    ],
    build: (context) => {
      concerned.services = context.store(inferenceServices);
      return new RetrainReconciler(context);
    },
  };
};
