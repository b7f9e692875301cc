import { randomBytes } from 'node:crypto';
import { LABELS } from '@slipway/crds/contract';
import { configMaps, jobs, persistentVolumeClaims, pods, secrets, services } from '../../api/builtin.ts';
import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import { workloads } from '../../api/kueue.ts';
import type { OperatorConfig } from '../../config.ts';
import { parseDuration } from '../../domain/duration.ts';
import {
  type ControllerContext,
  type ControllerSpec,
  type Grant,
  type Reconciler,
  source,
} from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { type Key, keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import type { FetchText } from '../../measure/fetchText.ts';
import { silentTrainingMeter, type TrainingMeter } from '../../telemetry/trainingMetrics.ts';
import { NameTaken } from '../jobs/ensureChild.ts';
import { jobSources } from '../jobs/jobWorld.ts';
import { writeStatus } from '../jobs/writeStatus.ts';
import { Latest } from '../latest.ts';
import { claimGrants } from '../placement/claimed.ts';
import { ClusterView, clusterGrants } from '../placement/cluster.ts';
import { act, type Hands } from './apply.ts';
import { type VersionClaims, versionClaims } from './claim.ts';
import { fetchText } from './fetchText.ts';
import { warning } from './notes.ts';
import { stalled, underWay } from './outlook.ts';
import { plan } from './plan.ts';
import { ProgressReader } from './progressReader.ts';
import { QueueReader } from './queueReader.ts';
import { type Reading, readWorld } from './read.ts';
import { AttemptRefused } from './startAttempt.ts';
import type { Plan, World } from './world.ts';

const NAME = 'trainingjob';
const FIELD_MANAGER = `slipway-${NAME}`;
/** A pass is a dozen calls that wait for the server one after the other: with fewer, a thousand jobs wait for each other. */
const WORKERS = 16;
const NAME_TAKEN_MS = 5_000;
/** Between two tries of what a person must make possible first. */
const REFUSED_MS = 30_000;

/** What the controller reaches beside the API server. */
export interface TrainingSurroundings {
  readonly fetchText: FetchText;
  readonly newToken: () => string;
  readonly meter: TrainingMeter;
}

const real: TrainingSurroundings = {
  fetchText,
  newToken: () => randomBytes(32).toString('hex'),
  meter: silentTrainingMeter,
};

const GRANTS: readonly Grant[] = [
  { resource: trainingJobs, verbs: ['get', 'list', 'watch', 'delete'] },
  { resource: trainingJobs, verbs: ['patch'], subresource: 'status' },
  { resource: modelVersions, verbs: ['get', 'list', 'create'] },
  { resource: jobs, verbs: ['get', 'create', 'patch', 'delete'] },
  { resource: configMaps, verbs: ['get', 'create', 'patch'] },
  { resource: services, verbs: ['get', 'create', 'patch'] },
  { resource: persistentVolumeClaims, verbs: ['get', 'create', 'patch'] },
  { resource: secrets, verbs: ['get', 'create', 'patch'] },
  { resource: pods, verbs: ['delete'] },
  { resource: pods, verbs: ['get'], subresource: 'log' },
  ...workloads.map((resource): Grant => ({ resource, verbs: ['list'] })),
  ...clusterGrants,
  ...claimGrants,
];

/** A ModelVersion concerns the job that made it: its creation is the last step of that job. */
const makerOf = ({
  metadata,
  spec,
}: {
  metadata: { namespace?: string };
  spec: { provenance?: { trainingJob?: string | undefined } | undefined };
}): Key[] => {
  const name = spec.provenance?.trainingJob;
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
};

class TrainingJobReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #reading: Reading;
  readonly #hands: Hands;
  readonly #meter: TrainingMeter;
  readonly #claimVersion: VersionClaims;
  readonly #latest: Latest<TrainingJob>;

  constructor(
    context: ControllerContext,
    config: OperatorConfig,
    { fetchText: fetch, newToken, meter }: TrainingSurroundings,
  ) {
    const { client } = context;
    const cluster = new ClusterView(client);
    this.#context = context;
    this.#meter = meter;
    this.#claimVersion = versionClaims(context);
    this.#latest = new Latest(client, trainingJobs);
    this.#reading = {
      context,
      progress: new ProgressReader(client, fetch),
      cluster,
      queue: new QueueReader(client),
    };
    this.#hands = {
      client,
      cluster,
      newToken,
      runtime: { image: config.runtimeImage, pullPolicy: config.imagePullPolicy },
      fieldManager: FIELD_MANAGER,
    };
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(trainingJobs).get(key);
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) return this.#forget(key);
    // A sweep runs no pods itself: its trials are TrainingJobs of their own, and its status is another controller's.
    if (cached.spec.sweep !== undefined) return settled;
    const tj = await this.#latest.of(cached, signal);
    if (tj === undefined) return settled;
    const world = await readWorld(this.#reading, tj, signal);
    const wanted = plan(world);
    return wanted.claimVersion ? this.#claim(world, signal) : this.#apply(world, wanted, signal);
  }

  #forget(key: Key): Outcome {
    this.#reading.progress.forget(key);
    this.#latest.forget(key);
    this.#meter.gone(key.namespace, key.name);
    return settled;
  }

  async #claim({ tj, now }: World, signal: AbortSignal): Promise<Outcome> {
    const note = await this.#claimVersion(tj, { now, fieldManager: FIELD_MANAGER, signal });
    if (note !== undefined) this.#context.events.emit(tj, note);
    return settled; // the status it wrote brings the next pass
  }

  async #apply(world: World, wanted: Plan, signal: AbortSignal): Promise<Outcome> {
    try {
      for (const action of wanted.actions) await act(this.#hands, world.tj, action, signal);
    } catch (error) {
      if (error instanceof NameTaken) return this.#waitForName(world, error, signal);
      if (error instanceof AttemptRefused) return this.#refuse(world, error, signal);
      throw error;
    }
    if (await this.#write(world, wanted, signal)) this.#tell(world.tj, wanted);
    this.#measure(world.tj, wanted);
    return wanted.next;
  }

  #measure(tj: Stored<TrainingJob>, { status }: Plan): void {
    const { name, namespace = '' } = tj.metadata;
    const { stallTimeout } = tj.spec.failure;
    const stallTimeoutMs = stallTimeout === undefined ? undefined : parseDuration(stallTimeout);
    const broken = this.#meter.saw({ namespace, name, status, stallTimeoutMs });
    if (broken.length === 0) return;
    const message = `Step ${status.progress?.step}: ${broken.join(', ')} is no finite number.`;
    this.#context.events.emit(tj, warning('MetricNotFinite', message));
  }

  async #waitForName(world: World, { message }: NameTaken, signal: AbortSignal): Promise<Outcome> {
    const { conditions: _c, observedGeneration: _g, ...status } = world.tj.status ?? {};
    await this.#write(world, { status, observed: underWay('NameTaken', message) }, signal);
    return again(NAME_TAKEN_MS, message);
  }

  /** Nothing else of the status changes: the attempt is the one to come, for when a person has mended what keeps it. */
  async #refuse(world: World, { reason, message, isFinal }: AttemptRefused, signal: AbortSignal): Promise<Outcome> {
    const { conditions: _c, observedGeneration: _g, ...status } = world.tj.status ?? {};
    const observed = isFinal ? stalled(reason, message) : underWay(reason, message);
    if (await this.#write(world, { status, observed }, signal)) {
      this.#context.events.emit(world.tj, warning(reason, message));
    }
    return isFinal ? settled : again(REFUSED_MS, message);
  }

  async #write({ tj, now }: World, { status, observed }: Pick<Plan, 'status' | 'observed'>, signal: AbortSignal) {
    const options = { status, observed, now, fieldManager: FIELD_MANAGER, signal };
    const written = await writeStatus(this.#context.client, trainingJobs, tj, options);
    if (written !== undefined) this.#latest.remember(written);
    return written;
  }

  #tell(tj: Stored<TrainingJob>, { events }: Plan): void {
    for (const note of events) this.#context.events.emit(tj, note);
  }
}

/** Runs TrainingJobs: TrainingJob → attempts (Indexed Jobs) → publish Job → ModelVersion. */
export const trainingJobController = (
  config: OperatorConfig,
  around: Partial<TrainingSurroundings> = {},
): ControllerSpec => ({
  name: NAME,
  grants: GRANTS,
  workers: WORKERS,
  sources: [
    source({ resource: trainingJobs, toKeys: (tj) => [keyOf(tj)] }),
    source({ resource: modelVersions, toKeys: makerOf }),
    ...jobSources(['training', 'publish'], LABELS.trainingJob),
  ],
  build: (context) => new TrainingJobReconciler(context, config, { ...real, ...around }),
});
