import { ADMIN_PATHS, type Evidence, evidenceSchema, PORTS } from '@slipway/crds/contract';
import type { RevisionEvidence } from '../domain/rollout/world.ts';
import { type Key, keyText } from '../kube/resource.ts';
import type { FetchText } from './fetchText.ts';
import { Ledger } from './ledger.ts';
import type { EvidenceQuestion, EvidenceSource, PodAddress } from './source.ts';

/** Pods of one service that are asked at the same time. */
const FAN_OUT = 16;

const urlOf = (ip: string): string =>
  `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.admin}${ADMIN_PATHS.evidence}`;

function parse(text: string | undefined): Evidence | undefined {
  try {
    const parsed = evidenceSchema.safeParse(JSON.parse(text ?? 'null'));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Runs the tasks, at most `width` at a time. */
async function inParallel(tasks: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const queue = [...tasks];
  const lane = async (): Promise<void> => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await task();
  };
  await Promise.all(Array.from({ length: Math.min(width, tasks.length) }, lane));
}

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
    const { pods, token, step } = question;
    const ledger = this.#ledgerOf(question);
    await inParallel(
      pods.map((pod) => () => this.#ask(ledger, pod, token, signal)),
      FAN_OUT,
    );
    const now = this.#options.now();
    ledger.keep(pods);
    ledger.enter(step, now);
    const revisions = [...new Set(pods.map(({ revision }) => revision))];
    return Object.fromEntries(revisions.map((revision) => [revision, ledger.evidence(revision, now)]));
  }

  forget(service: Key): void {
    this.#ledgers.delete(keyText(service));
  }

  async #ask(ledger: Ledger, pod: PodAddress, token: string, signal: AbortSignal): Promise<void> {
    const evidence = parse(await this.#options.fetchText(urlOf(pod.ip), token, signal));
    if (evidence !== undefined) ledger.record(pod, evidence, this.#options.now());
  }

  #ledgerOf({ service, rolloutID, startedAt }: EvidenceQuestion): Ledger {
    const known = this.#ledgers.get(keyText(service));
    const ledger = known?.rolloutID === rolloutID ? known : new Ledger(rolloutID, startedAt);
    this.#ledgers.set(keyText(service), ledger);
    return ledger;
  }
}
