import type { Evidence } from '@slipway/crds/contract';
import type { RevisionEvidence } from '../../domain/rollout/world.ts';
import { type Key, keyText } from '../../kube/resource.ts';
import { hasPassed } from '../hasPassed.ts';
import { Ledger } from '../ledger.ts';
import { isSound } from '../readable.ts';
import type { EvidenceQuestion, EvidenceSource } from '../source.ts';
import { documentsOf, evidenceQuery } from './documents.ts';
import type { InstantQuery } from './instantQuery.ts';

/** A pass a second is for counters that change each second; these change with each scrape. */
const ASK_EVERY_MS = 2_000;

/** A pass waits no longer than this for an answer: rollback by what is known already must not wait for a Prometheus. */
const PASS_MS = 1_000;

interface Followed {
  readonly ledger: Ledger;
  readonly batches: Map<string, ScrapeBatches>;
  askedAt: number;
}

/** Batches from scrape to scrape of one process, where a pod of its own would tell them by the second. */
interface ScrapeBatches {
  readonly epoch: string;
  readonly served: number;
  readonly failed: number;
  readonly seconds: number;
  readonly failedSquaredOverServed: number;
}

function batchesWith(known: ScrapeBatches | undefined, { epoch, requests }: Evidence): ScrapeBatches {
  const served = requests.ok + requests.serverError;
  const failed = requests.serverError;
  const before = known?.epoch === epoch ? known : { served: 0, failed: 0, seconds: 0, failedSquaredOverServed: 0 };
  const [more, faults] = [served - before.served, failed - before.failed];
  if (more <= 0 || faults < 0) return { ...before, epoch, served, failed };
  return {
    epoch,
    served,
    failed,
    seconds: before.seconds + 1,
    failedSquaredOverServed: before.failedSquaredOverServed + (faults * faults) / more,
  };
}

export interface PrometheusEvidenceOptions {
  readonly query: InstantQuery;
  readonly server: string;
  readonly now: () => Date;
  /** Default 1000. */
  readonly passMs?: number;
}

/**
 * Evidence from a Prometheus that scrapes the pods, for where the operator can't reach them. Its series must have the
 * labels `namespace` and `pod`, as PodMonitor and the usual Kubernetes scrape jobs give them; which pod runs which
 * revision is told by the API server. It sees a fault a scrape later than the pods tell it. It can give no orders:
 * without them no answers are compared in shadow and no user is kept with a version, and predictions are not counted
 * either: guards that need those stay Blind and hold.
 */
export class PrometheusEvidence implements EvidenceSource {
  readonly asksPods = false;
  readonly #options: PrometheusEvidenceOptions;
  readonly #followed = new Map<string, Followed>();

  constructor(options: PrometheusEvidenceOptions) {
    this.#options = options;
  }

  async read(question: EvidenceQuestion, signal: AbortSignal): Promise<Readonly<Record<string, RevisionEvidence>>> {
    const terms = { ...question, predictions: false };
    const followed = this.#followedFor(terms);
    const { ledger } = followed;
    if (hasPassed(this.#options.now().getTime() - followed.askedAt, ASK_EVERY_MS))
      await this.#ask(followed, terms, signal);
    const now = this.#options.now();
    ledger.enter(question.step, question.stepStartedAt, now);
    const revisions = [...new Set(question.pods.map(({ revision }) => revision))];
    return Object.fromEntries(revisions.map((revision) => [revision, ledger.evidence(revision, now)]));
  }

  /** There is no way to a pod. */
  async tell(): Promise<void> {}

  forget(service: Key): void {
    this.#followed.delete(keyText(service));
  }

  async #ask(followed: Followed, { service, model, pods }: EvidenceQuestion, signal: AbortSignal): Promise<void> {
    const { ledger, batches } = followed;
    followed.askedAt = this.#options.now().getTime();
    if (pods.length === 0) return;
    const query = evidenceQuery(
      service.namespace,
      pods.map(({ name }) => name),
    );
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.#options.passMs ?? PASS_MS)]);
    const answer = await this.#options.query(this.#options.server, query, within);
    if (answer.kind === 'Vector') {
      const now = this.#options.now();
      const documents = documentsOf(answer.samples, model, now);
      for (const pod of pods) {
        const document = documents.get(pod.name);
        if (document === undefined || !isSound(document)) continue;
        const { served: _s, failed: _f, epoch: _e, ...counted } = batchesWith(batches.get(pod.uid), document);
        batches.set(pod.uid, batchesWith(batches.get(pod.uid), document));
        ledger.record(pod, { ...document, batches: counted }, now);
      }
    }
    for (const uid of batches.keys()) if (!pods.some((pod) => pod.uid === uid)) batches.delete(uid);
    ledger.keep(pods);
    ledger.closePass(this.#options.now());
  }

  #followedFor(question: EvidenceQuestion): Followed {
    const key = keyText(question.service);
    const known = this.#followed.get(key);
    if (known?.ledger.isFor(question)) return known;
    const fresh = { ledger: new Ledger(question), batches: new Map(), askedAt: Number.NEGATIVE_INFINITY };
    this.#followed.set(key, fresh);
    return fresh;
  }
}
