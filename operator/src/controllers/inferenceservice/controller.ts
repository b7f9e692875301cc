import { randomBytes } from 'node:crypto';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import type { OperatorConfig } from '../../config.ts';
import { liveCandidate } from '../../domain/rollout/decision.ts';
import { type Plan, plan } from '../../domain/rollout/plan.ts';
import type { Cause } from '../../domain/rollout/world.ts';
import type { ControllerContext, ControllerSpec, Reconciler } from '../../kube/contracts.ts';
import { isForbidden, isInvalid } from '../../kube/errors.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import type { Key } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { PrometheusFindings } from '../../measure/external/prometheusFindings.ts';
import { type FetchText, fetchTextWithin } from '../../measure/fetchText.ts';
import { type InstantQuery, instantQueryWithin } from '../../measure/prometheus/instantQuery.ts';
import { NameTaken } from '../jobs/ensureChild.ts';
import { writeStatus } from '../jobs/writeStatus.ts';
import { Latest } from '../latest.ts';
import { ClaimUnavailable } from '../placement/claimed.ts';
import { ClusterView } from '../placement/cluster.ts';
import { ClusterNews } from '../placement/news.ts';
import { AdminTokens } from './adminTokens.ts';
import { apply, type Hands } from './apply.ts';
import { evidenceSource } from './evidenceSource.ts';
import { type ExternalReaders, forgetExternal } from './external.ts';
import { endOrders } from './gatherEvidence.ts';
import { GuardTests } from './guardTests.ts';
import { type Readers, type Reading, read } from './read.ts';
import { type Concerned, GRANTS, sources } from './sources.ts';
import { trafficOf } from './trafficOf.ts';
import { UnreadyTimes } from './unreadyTimes.ts';

const NAME = 'inferenceservice';
const FIELD_MANAGER = `slipway-${NAME}`;
const NAME_TAKEN = 'NameTaken';
const REFUSED_MS = 5_000;
/**
 * A pass waits for pods, for up to a second where they hang: with fewer, a few rollouts whose pods hang would delay the
 * verdicts on all others.
 */
const WORKERS = 32;
/** A rollback that could not be written (the webhook of a gateway is down) lands this soon after it can be. */
const LONGEST_WAIT_MS = 5_000;
/** What the watch over drift and the notifier write into the status of a service. */
const OTHERS = {
  conditions: ['DriftDetected', 'Retraining'],
  fields: ['drift', 'notified', 'notifiedDrift', 'retraining'],
};
/** A pod that hangs is given up within the guard period, or it would slow the loop for the others. */
const POD_PATIENCE_MS = 800;
/** A query runs beside the passes; one that takes longer is asked anew at its next turn. */
const QUERY_PATIENCE_MS = 10_000;

/** Of the time between two looks, what is left between two passes however long they take: other services wait as well. */
const LEAST_REST = 0.2;

/** A look is due so long after the last one began: the time that a pass takes would come on top of each otherwise. */
const sinceItsStart = (outcome: Outcome, tookMs: number): Outcome =>
  outcome.kind === 'settled'
    ? outcome
    : { ...outcome, afterMs: Math.max(LEAST_REST * outcome.afterMs, outcome.afterMs - Math.max(0, tookMs)) };

/** What the controller reaches beside the API server. */
export interface ServingSurroundings {
  readonly fetchText: FetchText;
  readonly newToken: () => string;
  readonly query: InstantQuery;
}
const real: ServingSurroundings = {
  fetchText: fetchTextWithin(POD_PATIENCE_MS),
  newToken: () => randomBytes(32).toString('hex'),
  query: instantQueryWithin(QUERY_PATIENCE_MS),
};

/** Why a write of ours will fail until somebody mends it; undefined: it may pass by itself, and is an error of the pass. */
function refusalOf(error: unknown): Cause | undefined {
  if (error instanceof NameTaken) return { reason: NAME_TAKEN, message: error.message };
  if (error instanceof ClaimUnavailable) return { reason: 'AcceleratorClaimUnavailable', message: error.message };
  if (!isInvalid(error) && !isForbidden(error)) return undefined;
  const { message } = error as Error;
  return { reason: 'WriteRefused', message: `The API server refuses what this needs: ${message}` };
}

/**
 * The plan of a pass that could not make what it needs: as it was, with the reason on top. A live candidate is looked at
 * as often as ever: what keeps it from going on must not delay the way back.
 */
const refused = ({ observed, next, ...rest }: Plan, stored: Plan['status'], { reason, message }: Cause): Plan => ({
  ...rest,
  status: stored,
  observed: observed.map((o) => {
    if (o.type === 'Ready') return o;
    const holds = o.type === (reason === NAME_TAKEN ? 'Reconciling' : 'Stalled');
    return { ...o, status: holds ? 'True' : 'False', reason, message };
  }),
  events: [],
  next: liveCandidate(stored) === undefined ? again(REFUSED_MS, message) : next,
});

const isBack = ({ candidate }: Plan['status']): boolean => candidate?.phase === 'RollingBack';

function externalReaders(
  { client, now, enqueue }: ControllerContext,
  { prometheusUrl }: OperatorConfig,
  { query }: ServingSurroundings,
): ExternalReaders {
  const changed = (service: Key): void => enqueue(service);
  return {
    queries: new PrometheusFindings({ query, defaultServer: prometheusUrl, now, changed }),
    tests: new GuardTests(client, changed),
  };
}

class InferenceServiceReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #readers: Readers;
  readonly #hands: Hands;
  readonly #latest: Latest<InferenceService>;

  constructor(context: ControllerContext, config: OperatorConfig, around: ServingSurroundings) {
    const { client, now } = context;
    const traffic = trafficOf(context, config, FIELD_MANAGER);
    const cluster = new ClusterView(client);
    this.#context = context;
    this.#latest = new Latest(client, inferenceServices);
    this.#readers = {
      context,
      cluster: new ClusterNews(cluster),
      traffic,
      evidence: evidenceSource(config, around, now),
      external: externalReaders(context, config, around),
      tokens: new AdminTokens(client, now),
      guardPeriodMs: config.guardPeriodMs,
      unready: new UnreadyTimes(),
    };
    this.#hands = {
      client,
      cluster,
      now,
      traffic,
      newToken: around.newToken,
      runtime: { image: config.runtimeImage, pullPolicy: config.imagePullPolicy },
      adminFrom: [...new Set([config.operatorNamespace, ...config.scrapeNamespaces])],
      fieldManager: FIELD_MANAGER,
    };
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(inferenceServices).get(key);
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) return this.#forget(key);
    const latest = await this.#latest.of(cached, signal);
    if (latest === undefined) return settled;
    const startedAt = this.#context.now().getTime();
    const reading = await read(this.#readers, latest, signal);
    const outcome = await this.#carryOut(reading, plan(reading.world), signal);
    return sinceItsStart(outcome, this.#context.now().getTime() - startedAt);
  }

  async #carryOut(reading: Reading, wanted: Plan, signal: AbortSignal): Promise<Outcome> {
    const stored = asStored(reading.infs);
    if (isBack(wanted.status) && !isBack(stored)) return this.#takeBack(reading, wanted, signal);
    try {
      await apply(this.#hands, reading, wanted, signal);
    } catch (error) {
      const cause = refusalOf(error);
      if (cause === undefined) throw error;
      return this.#tell(reading, refused(wanted, stored, cause), signal);
    }
    const told = await this.#tell(reading, wanted, signal);
    await endOrders(this.#readers, reading, wanted, signal);
    return told;
  }

  /**
   * A rollback is decided once, and written down before its route: whoever comes after a death between the two goes on
   * with it. The other way round, they would see a route without the candidate and a window of evidence that begins
   * anew, and give the traffic back. The route is written also where the status can't be. Pods can wait for both.
   */
  async #takeBack(reading: Reading, wanted: Plan, signal: AbortSignal): Promise<Outcome> {
    try {
      await this.#tell(reading, wanted, signal);
    } finally {
      await this.#hands.traffic.apply(reading.infs, wanted, signal);
    }
    await endOrders(this.#readers, reading, wanted, signal);
    return wanted.next;
  }

  /** One status write a pass, none when nothing changed; Events only after it succeeded. */
  async #tell({ infs, world }: Reading, wanted: Plan, signal: AbortSignal): Promise<Outcome> {
    const { client, events } = this.#context;
    const { status, observed } = wanted;
    const options = { status, observed, now: world.now, fieldManager: FIELD_MANAGER, others: OTHERS, signal };
    const written = await writeStatus(client, inferenceServices, infs, options);
    if (written !== undefined) {
      this.#latest.remember(written);
      for (const note of wanted.events) events.emit(infs, note);
    }
    return wanted.next;
  }

  #forget(key: Key): Outcome {
    this.#readers.evidence.forget(key);
    forgetExternal(this.#readers.external, key);
    this.#readers.unready.forget(key);
    this.#readers.traffic.forget(key);
    this.#readers.tokens.forget(this.#latest.forget(key) ?? '');
    return settled;
  }
}

const asStored = ({ status }: Stored<InferenceService>): Plan['status'] => {
  const { conditions: _c, observedGeneration: _g, ...rest } = status ?? {};
  return rest;
};

/** Serves model versions: a Deployment and a Service a version, one HTTPRoute, and the rollout between them. */
export function inferenceServiceController(config: OperatorConfig, around: ServingSurroundings = real): ControllerSpec {
  const concerned: Concerned = { services: undefined };
  return {
    name: NAME,
    grants: GRANTS,
    sources: sources(concerned, config.defaultGateway),
    workers: WORKERS,
    longestWaitMs: LONGEST_WAIT_MS,
    build: (context) => {
      concerned.services = context.store(inferenceServices);
      return new InferenceServiceReconciler(context, config, around);
    },
  };
}
