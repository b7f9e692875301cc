import type { DriftSpec } from '@slipway/crds';
import { pods, secrets } from '../../api/builtin.ts';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import type { OperatorConfig } from '../../config.ts';
import { isNews } from '../../domain/drift/news.ts';
import { alarms, noteOf, type Sight, tell } from '../../domain/drift/told.ts';
import { DriftWatch, windowOptions } from '../../domain/drift/watch.ts';
import { liveCandidate } from '../../domain/rollout/decision.ts';
import {
  type ControllerContext,
  type ControllerSpec,
  type Grant,
  type Reconciler,
  source,
} from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { type Key, keyOf, keyText } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { type FetchText, fetchTextWithin } from '../../measure/fetchText.ts';
import { type DriftMeter, silentDriftMeter } from '../../telemetry/driftMetrics.ts';
import { AdminTokens } from '../inferenceservice/adminTokens.ts';
import { Latest } from '../latest.ts';
import type { Writing } from '../partOfStatus.ts';
import { type Address, type Asking, baselineFrom, evidenceOf, servingPods, stablePods } from './evidence.ts';
import { removeDrift, saidOf, writeDrift } from './writeDrift.ts';

const NAME = 'drift';
const FIELD_MANAGER = `slipway-${NAME}`;
/** Nobody waits for drift: a pod under load may take its time. */
const POD_PATIENCE_MS = 5_000;

const GRANTS: readonly Grant[] = [
  { resource: inferenceServices, verbs: ['get', 'list', 'watch'] },
  { resource: inferenceServices, verbs: ['patch'], subresource: 'status' },
  { resource: pods, verbs: ['get', 'list', 'watch'] },
  { resource: secrets, verbs: ['get'] },
];

const UNREAD = 'No pod of the stable version could be read.';
const NO_BASELINE = 'No pod of the stable version gave its baseline.json.';

type Infs = Stored<InferenceService>;
type Stable = NonNullable<NonNullable<InferenceService['status']>['stable']>;

/** What is kept about a service between passes. `of` tells by what it was made: when that changes, it starts anew. */
interface Kept {
  readonly of: string;
  watch: DriftWatch | undefined;
  /** Why there is no watch yet. */
  blind: string;
  readAt: number;
  generation: number;
}

/** What the controller reaches beside the API server. */
export interface DriftSurroundings {
  readonly fetchText: FetchText;
  readonly now?: () => Date;
}

class DriftReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #latest: Latest<InferenceService>;
  readonly #tokens: AdminTokens;
  readonly #fetchText: FetchText;
  readonly #meter: DriftMeter;
  readonly #periodMs: number;
  readonly #now: () => Date;
  readonly #kept = new Map<string, Kept>();

  constructor(context: ControllerContext, config: OperatorConfig, meter: DriftMeter, around: DriftSurroundings) {
    const { client, now } = context;
    this.#context = context;
    this.#latest = new Latest(client, inferenceServices);
    this.#tokens = new AdminTokens(client, now);
    this.#fetchText = around.fetchText;
    this.#meter = meter;
    this.#periodMs = config.driftPeriodMs;
    this.#now = around.now ?? now;
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(inferenceServices).get(key);
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) return this.#forget(key);
    const infs = await this.#latest.of(cached, signal);
    if (infs === undefined) return settled;
    const { drift } = infs.spec;
    if (drift === undefined) return this.#endWatch(infs, signal);
    const { stable } = infs.status ?? {};
    return stable === undefined ? settled : this.#watch(infs, drift, stable, signal);
  }

  async #watch(infs: Infs, spec: DriftSpec, stable: Stable, signal: AbortSignal): Promise<Outcome> {
    const kept = this.#keptFor(infs, spec, stable);
    const { generation = 0 } = infs.metadata;
    const now = this.#now();
    const rest = kept.readAt + this.#periodMs - now.getTime();
    if (rest > 0 && kept.generation === generation) return again(rest, 'Watching');
    kept.readAt = now.getTime();
    await this.#read(infs, spec, stable, kept, signal);
    const due = kept.watch?.isDue(this.#now()) ?? true;
    if (due || kept.generation !== generation) await this.#look(infs, spec, stable, kept, signal);
    kept.generation = generation;
    return again(this.#periodMs, 'Watching');
  }

  /** Another model, or another length of the slots, begins a new window. */
  #keptFor(infs: Infs, spec: DriftSpec, { digest }: Stable): Kept {
    const of = JSON.stringify([infs.metadata.uid, digest, windowOptions(spec, this.#periodMs)]);
    const key = keyText(keyOf(infs));
    const known = this.#kept.get(key);
    const kept = known?.of === of ? known : { of, watch: undefined, blind: UNREAD, readAt: 0, generation: 0 };
    this.#kept.set(key, kept);
    return kept;
  }

  async #read(infs: Infs, spec: DriftSpec, { digest }: Stable, kept: Kept, signal: AbortSignal): Promise<void> {
    const token = await this.#tokens.of(infs, signal);
    if (token === undefined) return;
    const peersToo = liveCandidate(infs.status ?? {}) === undefined;
    const asking = { fetchText: this.#fetchText, token, signal, peersToo };
    const read = await evidenceOf(stablePods(this.#context.store(pods), infs), digest, asking);
    const [first] = read;
    if (first === undefined) return;
    const bare = first[1].features === undefined && first[1].predictions === undefined;
    kept.blind = NO_BASELINE;
    kept.watch ??= await this.#open(spec, bare ? undefined : read.map(([address]) => address), asking);
    for (const [{ uid }, evidence] of read) kept.watch?.record(uid, evidence, this.#now());
  }

  /** A watch over a model with the baseline that its pods give; without `addresses` it has none. */
  async #open(
    spec: DriftSpec,
    addresses: readonly Address[] | undefined,
    asking: Asking,
  ): Promise<DriftWatch | undefined> {
    const baseline = addresses && (await baselineFrom(addresses, asking));
    if (addresses !== undefined && baseline === undefined) return undefined;
    return new DriftWatch({ ...windowOptions(spec, this.#periodMs), baseline });
  }

  async #look(infs: Infs, spec: DriftSpec, stable: Stable, kept: Kept, signal: AbortSignal): Promise<void> {
    const now = this.#now();
    const telling = { spec, version: stable.version, now };
    const before = saidOf(infs);
    const sight: Sight = kept.watch?.look({ spec, now, before: alarms(before, telling) }) ?? {
      kind: 'Blind',
      message: kept.blind,
    };
    const told = tell(before, sight, telling);
    if (isNews(before, told, infs.metadata.generation ?? 0, telling)) {
      this.#latest.remember(await writeDrift(infs, told, this.#writing(signal)));
      const note = noteOf(before, told);
      if (note !== undefined) this.#context.events.emit(infs, note);
    }
    const numbers = sight.kind === 'Judged' ? sight.findings : [];
    this.#meter.looked(
      infs.metadata.namespace ?? '',
      infs.metadata.name,
      told.condition.status === 'True',
      numbers.map(({ name, measure, value, bound }) => ({ feature: name, measure, value, limit: bound })),
    );
  }

  async #endWatch(infs: Infs, signal: AbortSignal): Promise<Outcome> {
    const { condition, drift } = saidOf(infs);
    this.#drop(keyOf(infs));
    if (condition === undefined && drift === undefined) return settled;
    this.#latest.remember(await removeDrift(infs, this.#writing(signal)));
    return settled;
  }

  #forget(key: Key): Outcome {
    this.#drop(key);
    this.#tokens.forget(this.#latest.forget(key) ?? '');
    return settled;
  }

  #drop(key: Key): void {
    this.#kept.delete(keyText(key));
    this.#meter.gone(key.namespace, key.name);
  }

  #writing(signal: AbortSignal): Writing {
    return { client: this.#context.client, fieldManager: FIELD_MANAGER, now: this.#now(), signal };
  }
}

const isConcerned = (infs: InferenceService): boolean => {
  const { condition, drift } = saidOf(infs as Infs);
  return infs.spec.drift !== undefined || condition !== undefined || drift !== undefined;
};

/** The steady watch: what the stable version of each service is asked and answers, against what it was trained on. */
export const driftController = (
  config: OperatorConfig,
  meter: DriftMeter = silentDriftMeter,
  around: DriftSurroundings = { fetchText: fetchTextWithin(POD_PATIENCE_MS) },
): ControllerSpec => ({
  name: NAME,
  grants: GRANTS,
  sources: [
    source({ resource: inferenceServices, toKeys: (infs) => (isConcerned(infs) ? [keyOf(infs)] : []) }),
    servingPods,
  ],
  build: (context) => new DriftReconciler(context, config, meter, around),
});
