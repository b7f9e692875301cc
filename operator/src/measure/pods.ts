import type { EvidencePoll } from '@slipway/crds/contract';
import type { PredictionLook, RevisionEvidence } from '../domain/rollout/world.ts';
import { type Key, keyText } from '../kube/resource.ts';
import { Baselines } from './baselines.ts';
import { inCommonBins } from './commonBins.ts';
import type { FetchText } from './fetchText.ts';
import { inParallel } from './inParallel.ts';
import { Ledger } from './ledger.ts';
import { evidenceUrl, FAN_OUT, tellPods } from './podPorts.ts';
import type { RawLook } from './predictionLooks.ts';
import { readEvidence } from './readable.ts';
import type { EvidenceQuestion, EvidenceSource, PodAddress } from './source.ts';
import { Turns } from './turns.ts';

/** However many pods hang, a pass over them takes no longer: those that were not asked by then are asked in the next. */
const PASS_MS = 1_000;

export interface PodEvidenceOptions {
  /** Gives up by itself: a pod that hangs must not hold up the verdict on the others. */
  readonly fetchText: FetchText;
  readonly now: () => Date;
  /** Default 1000. */
  readonly passMs?: number;
}

/** Evidence straight from the runtime pods: no metrics stack, and no scrape interval between a fault and its verdict. */
export class PodEvidence implements EvidenceSource {
  readonly asksPods = true;
  readonly #options: PodEvidenceOptions;
  readonly #baselines: Baselines;
  readonly #turns = new Turns();
  readonly #ledgers = new Map<string, Ledger>();

  constructor(options: PodEvidenceOptions) {
    this.#options = options;
    this.#baselines = new Baselines(options.fetchText);
  }

  async read(question: EvidenceQuestion, signal: AbortSignal): Promise<Readonly<Record<string, RevisionEvidence>>> {
    const { pods, step, stepStartedAt, shadowOrder } = question;
    const ledger = this.#ledgerOf(question);
    ledger.follow(shadowOrder);
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.#options.passMs ?? PASS_MS)]);
    await inParallel(
      this.#turns.order(pods).map((pod) => () => this.#ask(ledger, pod, question, within)),
      FAN_OUT,
    );
    const now = this.#options.now();
    ledger.keep(pods);
    ledger.closePass(now);
    ledger.enter(step, stepStartedAt, now);
    const revisions = [...new Set(pods.map(({ revision }) => revision))];
    const inBins = this.#inBins(question);
    return Object.fromEntries(revisions.map((revision) => [revision, ledger.evidence(revision, now, inBins)]));
  }

  async tell(pods: readonly PodAddress[], token: string, told: EvidencePoll, signal: AbortSignal): Promise<void> {
    await tellPods(this.#options.fetchText, pods, token, told, signal);
  }

  forget(service: Key): void {
    this.#ledgers.delete(keyText(service));
    this.#baselines.forget(service);
  }

  #inBins(question: EvidenceQuestion): ((look: RawLook) => PredictionLook) | undefined {
    if (!question.predictions) return undefined;
    const of = this.#baselines.of(question, question.candidate);
    const like = this.#baselines.of(question, question.stable);
    return of && like && ((look) => inCommonBins(look, of, like));
  }

  async #ask(ledger: Ledger, pod: PodAddress, { token, poll }: EvidenceQuestion, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#turns.asked(pod);
    const told = poll(pod);
    const body = told === undefined ? undefined : JSON.stringify(told);
    const evidence = readEvidence(await this.#options.fetchText(evidenceUrl(pod), token, signal, body));
    if (evidence === undefined) return;
    this.#turns.answered(pod);
    ledger.record(pod, evidence, this.#options.now());
  }

  #ledgerOf(question: EvidenceQuestion): Ledger {
    const key = keyText(question.service);
    const known = this.#ledgers.get(key);
    const ledger = known?.isFor(question) ? known : new Ledger(question);
    this.#ledgers.set(key, ledger);
    return ledger;
  }
}
