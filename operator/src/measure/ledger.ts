import type { Evidence } from '@slipway/crds';
import { noRequests, plus, since, type Tally } from '../domain/analysis/tally.ts';
import type { RevisionEvidence } from '../domain/rollout/world.ts';
import type { PodAddress } from './source.ts';

/** A pod that answered within this time counts as seen. */
const FRESH_MS = 5_000;

/** What one process of a pod counted: all of it, and the part that belongs to the rollout. */
interface Account {
  readonly revision: string;
  readonly epoch: string;
  readonly digest: string;
  readonly before: Tally;
  readonly latest: Tally;
  readonly seenAt: number;
}
interface Totals {
  readonly sinceRollout: Tally;
  readonly lifetime: Tally;
}
const NOTHING: Totals = { sinceRollout: noRequests, lifetime: noRequests };

export const tallyOf = ({ requests, batches, latency, invalid, labels }: Evidence): Tally => ({
  ...requests,
  invalid: invalid ?? 0,
  latency: latency.counts,
  right: labels?.right ?? 0,
  wrong: labels?.wrong ?? 0,
  batches: {},
  batchSeconds: batches.seconds,
  failedSquaredOverServed: batches.failedSquaredOverServed,
});

const totalsOf = ({ before, latest }: Account): Totals => ({ sinceRollout: since(latest, before), lifetime: latest });
const add = (a: Totals, b: Totals): Totals => ({
  sinceRollout: plus(a.sinceRollout, b.sinceRollout),
  lifetime: plus(a.lifetime, b.lifetime),
});

/**
 * Adds up the counters of pods over the time of one rollout. Counters are cumulative in a process and start again at
 * zero in the next, so each process has an account of its own and closed accounts keep their sum: nothing is counted
 * twice and nothing is lost. Kept in memory: after a restart of the operator, processes that are younger than the
 * rollout are counted in full again, older ones from then on, and the step's window starts anew. That can cost time,
 * never a wrong verdict.
 */
export class Ledger {
  readonly rolloutID: string;
  readonly #startedAt: number;
  readonly #accounts = new Map<string, Account>();
  readonly #closed = new Map<string, Totals>();
  #step = '';
  #stepAt = 0;
  #stepBase = new Map<string, Totals>();

  constructor(rolloutID: string, startedAt: Date) {
    this.rolloutID = rolloutID;
    this.#startedAt = startedAt.getTime();
  }

  /** Takes down what a pod reported at a time. */
  record({ uid, revision }: PodAddress, evidence: Evidence, at: Date): void {
    const known = this.#accounts.get(uid);
    const latest = tallyOf(evidence);
    const same = known !== undefined && known.epoch === evidence.epoch;
    if (known !== undefined && !same) this.#close(known);
    const older = Date.parse(evidence.startedAt) < this.#startedAt;
    const before = same ? known.before : older ? latest : noRequests;
    const { epoch, model } = evidence;
    this.#accounts.set(uid, { revision, epoch, digest: model.digest, before, latest, seenAt: at.getTime() });
  }

  /** Closes the accounts of pods that are gone. */
  keep(pods: readonly PodAddress[]): void {
    const present = new Set(pods.map(({ uid }) => uid));
    for (const [uid, account] of this.#accounts) {
      if (present.has(uid)) continue;
      this.#close(account);
      this.#accounts.delete(uid);
    }
  }

  /** Begins a new window when the step has another name than before. */
  enter(step: string, at: Date): void {
    if (step === this.#step) return;
    this.#step = step;
    this.#stepAt = at.getTime();
    const revisions = new Set([...this.#closed.keys(), ...[...this.#accounts.values()].map((a) => a.revision)]);
    this.#stepBase = new Map([...revisions].map((revision) => [revision, this.#totals(revision)]));
  }

  evidence(revision: string, now: Date): RevisionEvidence {
    const accounts = [...this.#accounts.values()].filter((a) => a.revision === revision);
    const fresh = accounts.filter(({ seenAt }) => now.getTime() - seenAt <= FRESH_MS);
    const totals = this.#totals(revision);
    const base = this.#stepBase.get(revision) ?? NOTHING;
    return {
      answering: fresh.length,
      digests: [...new Set(fresh.map(({ digest }) => digest))],
      sinceRollout: totals.sinceRollout,
      sinceStep: since(totals.sinceRollout, base.sinceRollout),
      lifetime: totals.lifetime,
      stepSeconds: (now.getTime() - this.#stepAt) / 1000,
    };
  }

  #totals(revision: string): Totals {
    return [...this.#accounts.values()]
      .filter((a) => a.revision === revision)
      .map(totalsOf)
      .reduce(add, this.#closed.get(revision) ?? NOTHING);
  }

  #close(account: Account): void {
    this.#closed.set(account.revision, add(this.#closed.get(account.revision) ?? NOTHING, totalsOf(account)));
  }
}
