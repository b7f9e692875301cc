import { ADMIN_PATHS, PORTS } from '@slipway/crds/contract';
import type { RevisionEvidence } from '../domain/rollout/world.ts';
import { type Key, keyText } from '../kube/resource.ts';
import type { FetchText } from './fetchText.ts';
import { inParallel } from './inParallel.ts';
import { Ledger } from './ledger.ts';
import { readEvidence } from './readable.ts';
import type { EvidenceQuestion, EvidenceSource, PodAddress } from './source.ts';

/** Pods of one service that are asked at the same time. */
const FAN_OUT = 16;

const urlOf = (ip: string): string =>
  `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.admin}${ADMIN_PATHS.evidence}`;

export interface PodEvidenceOptions {
  /** Gives up by itself: a pod that hangs must not hold up the verdict on the others. */
  readonly fetchText: FetchText;
  readonly now: () => Date;
}

/** Evidence straight from the runtime pods: no metrics stack, and no scrape interval between a fault and its verdict. */
export class PodEvidence implements EvidenceSource {
  readonly #options: PodEvidenceOptions;
  readonly #ledgers = new Map<string, Ledger>();

  constructor(options: PodEvidenceOptions) {
    this.#options = options;
  }

  async read(question: EvidenceQuestion, signal: AbortSignal): Promise<Readonly<Record<string, RevisionEvidence>>> {
    const { pods, step, shadowOrder } = question;
    const ledger = this.#ledgerOf(question);
    ledger.follow(shadowOrder);
    await inParallel(
      pods.map((pod) => () => this.#ask(ledger, pod, question, signal)),
      FAN_OUT,
    );
    const now = this.#options.now();
    ledger.keep(pods);
    ledger.closePass();
    ledger.enter(step, now);
    const revisions = [...new Set(pods.map(({ revision }) => revision))];
    return Object.fromEntries(revisions.map((revision) => [revision, ledger.evidence(revision, now)]));
  }

  forget(service: Key): void {
    this.#ledgers.delete(keyText(service));
  }

  async #ask(ledger: Ledger, pod: PodAddress, { token, poll }: EvidenceQuestion, signal: AbortSignal): Promise<void> {
    const told = poll(pod);
    const body = told === undefined ? undefined : JSON.stringify(told);
    const evidence = readEvidence(await this.#options.fetchText(urlOf(pod.ip), token, signal, body));
    if (evidence !== undefined) ledger.record(pod, evidence, this.#options.now());
  }

  #ledgerOf(question: EvidenceQuestion): Ledger {
    const key = keyText(question.service);
    const known = this.#ledgers.get(key);
    const ledger = known?.isFor(question) ? known : new Ledger(question);
    this.#ledgers.set(key, ledger);
    return ledger;
  }
}
