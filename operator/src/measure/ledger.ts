import type { Evidence } from '@slipway/crds/contract';
import { noRequests, plus, since, type Tally } from '../domain/analysis/tally.ts';
import type { PredictionLook, RevisionEvidence } from '../domain/rollout/world.ts';
import { hasPassed } from './hasPassed.ts';
import { PassBatches, sharesOf } from './passBatches.ts';
import { type Bins, binsOf, growthOf, NO_BINS, PredictionLooks, type RawLook } from './predictionLooks.ts';
import { type Bases, RecentWindows } from './recentWindows.ts';
import { ShadowCount } from './shadowCount.ts';
import type { EvidenceQuestion, PodAddress } from './source.ts';
import { tallyOf } from './tallyOf.ts';

/** A pod that answered within this time counts as seen. */
const FRESH_MS = 5_000;

/** What one process of a pod counted: all of it, and the part that belongs to the rollout. */
interface Account {
  readonly revision: string;
  readonly epoch: string;
  readonly digest: string;
  readonly before: Tally;
  readonly latest: Tally;
  readonly bins: Bins;
  /** Whether it counts copies for a second opinion apart. */
  readonly takesCopies: boolean;
  readonly seenAt: number;
}
interface Totals {
  readonly sinceRollout: Tally;
  readonly lifetime: Tally;
  readonly processes: number;
}
const NOTHING: Totals = { sinceRollout: noRequests, lifetime: noRequests, processes: 0 };

const totalsOf = ({ before, latest }: Account): Totals => ({
  sinceRollout: since(latest, before),
  lifetime: latest,
  processes: 1,
});
const add = (a: Totals, b: Totals): Totals => ({
  sinceRollout: plus(a.sinceRollout, b.sinceRollout),
  lifetime: plus(a.lifetime, b.lifetime),
  processes: a.processes + b.processes,
});

/** Milliseconds for which a process runs, by its own clock: that of its node may be hours away from ours. NaN: it does not say. */
const ageMs = ({ at, startedAt }: Evidence): number => Date.parse(at) - Date.parse(startedAt);

/**
 * Pods batch errors by the second. A window that began within the second in which it is looked at holds no new one: its
 * requests are one batch, for without any they would be taken as independent.
 */
function inABatch(tally: Tally): Tally {
  const { ok, clientError, serverError, batchSeconds } = tally;
  const served = ok + clientError + serverError;
  if (batchSeconds > 0 || served === 0) return tally;
  return { ...tally, batchSeconds: 1, failedSquaredOverServed: (serverError * serverError) / served };
}

const namesOf = (accounts: readonly Account[]): readonly string[] => [
  ...new Set(accounts.flatMap(({ bins }) => [...bins.keys()])),
];

/** What the ledger of a rollout is for. */
export type LedgerTerms = Pick<
  EvidenceQuestion,
  'rolloutID' | 'startedAt' | 'candidate' | 'stable' | 'thresholdsMs' | 'predictions'
>;

/**
 * Adds up the counters of pods over the time of one rollout. Counters are cumulative in a process and start again at
 * zero in the next, so each process has an account of its own and closed accounts keep their sum: nothing is counted
 * twice and nothing is lost. Kept in memory: after a restart of the operator, processes that are younger than the
 * rollout are counted in full again, older ones from then on, and the step's window starts anew. That can cost time,
 * never a wrong verdict.
 */
export class Ledger {
  readonly #terms: LedgerTerms;
  readonly #accounts = new Map<string, Account>();
  readonly #closed = new Map<string, Totals>();
  readonly #batches = new Map<string, PassBatches>();
  readonly #looks = new PredictionLooks();
  #shadow: ShadowCount | undefined;
  #step = '';
  #stepAt = 0;
  #stepStartedAt = new Date(0);
  #stepBase: Bases = new Map();
  #recent = new RecentWindows();

  constructor(terms: LedgerTerms) {
    this.#terms = terms;
  }

  /** Whether it keeps what is asked for. Another rollout, or other guards, need another ledger. */
  isFor({ rolloutID, thresholdsMs, predictions }: LedgerTerms): boolean {
    const terms = this.#terms;
    return (
      terms.rolloutID === rolloutID &&
      terms.predictions === predictions &&
      terms.thresholdsMs.join() === thresholdsMs.join()
    );
  }

  /** Takes down what a pod reported at a time. */
  record({ uid, revision }: PodAddress, evidence: Evidence, at: Date): void {
    const known = this.#accounts.get(uid);
    const latest = tallyOf(evidence);
    const same = known?.epoch === evidence.epoch ? known : undefined;
    if (known !== undefined && same === undefined) this.#close(known);
    const younger = at.getTime() - ageMs(evidence) >= this.#terms.startedAt.getTime();
    const before = same?.before ?? (younger ? noRequests : latest);
    const told = this.#terms.predictions ? binsOf(evidence.predictions) : NO_BINS;
    const { grown, latest: bins } = growthOf(told, same?.bins ?? (younger ? NO_BINS : told));
    const { epoch, model } = evidence;
    const takesCopies = evidence.copies !== undefined;
    const seenAt = at.getTime();
    this.#accounts.set(uid, { revision, epoch, digest: model.digest, before, latest, bins, takesCopies, seenAt });
    const shares = sharesOf(since(latest, same?.latest ?? before), this.#terms.thresholdsMs);
    this.#batchesOf(revision).add(shares);
    this.#addPredictions(revision, grown);
    if (evidence.shadow !== undefined && revision === this.#terms.stable) {
      this.#shadow?.record(uid, epoch, evidence.shadow);
    }
  }

  /** Closes the accounts of pods that are gone. */
  keep(pods: readonly PodAddress[]): void {
    const present = new Set(pods.map(({ uid }) => uid));
    this.#shadow?.keepPods(present);
    for (const [uid, account] of this.#accounts) {
      if (present.has(uid)) continue;
      this.#close(account);
      this.#accounts.delete(uid);
    }
  }

  /** Counts comparisons of this shadow order from now on, and of no other. */
  follow(order: string | undefined): void {
    if (order === this.#shadow?.order) return;
    this.#shadow = order === undefined ? undefined : new ShadowCount(order);
  }

  /** Every pod was asked: what they counted in the last second is one batch. */
  closePass(at: Date): void {
    for (const batches of this.#batches.values()) batches.close(at);
    this.#looks.closePass();
    this.#shadow?.closePass(at);
  }

  /** Begins a new window when the step has another name than before. */
  enter(step: string, stepStartedAt: Date, at: Date): void {
    if (step !== this.#step) {
      this.#step = step;
      this.#stepAt = at.getTime();
      this.#stepStartedAt = stepStartedAt;
      this.#stepBase = this.#bases(at);
      this.#recent = new RecentWindows();
    }
    this.#recent.pass(this.#stepStartedAt, at, () => this.#bases(at));
  }

  /** Without `inBins` looks at predictions are left out: nobody knows yet what their bins mean. */
  evidence(revision: string, now: Date, inBins?: (look: RawLook) => PredictionLook): RevisionEvidence {
    const accounts = [...this.#accounts.values()].filter((a) => a.revision === revision);
    const fresh = accounts.filter(({ seenAt }) => !hasPassed(now.getTime() - seenAt, FRESH_MS + 1));
    const totals = this.#totals(revision);
    const base = this.#stepBase.get(revision) ?? noRequests;
    const recent = this.#recent.of(revision, totals.sinceRollout, now);
    const look = this.#looks.look();
    const shadow = revision === this.#terms.stable ? this.#shadow?.tally() : undefined;
    return {
      answering: fresh.length,
      digests: [...new Set(fresh.map(({ digest }) => digest))],
      sinceRollout: totals.sinceRollout,
      sinceStep: inABatch(since(totals.sinceRollout, base)),
      lifetime: totals.lifetime,
      processes: totals.processes,
      stepSeconds: (now.getTime() - this.#stepAt) / 1000,
      ...(accounts.length > 0 && accounts.every(({ takesCopies }) => takesCopies) ? { takesCopies: true } : {}),
      ...(recent === undefined ? {} : { recent }),
      ...(look === undefined || inBins === undefined ? {} : { predictionLook: inBins(look) }),
      ...(this.#terms.predictions && accounts.length > 0 ? { predictions: namesOf(accounts) } : {}),
      ...(shadow === undefined ? {} : { shadow }),
    };
  }

  #addPredictions(revision: string, bins: Bins): void {
    if (revision === this.#terms.candidate) this.#looks.add('candidate', bins);
    else if (revision === this.#terms.stable) this.#looks.add('stable', bins);
  }

  #batchesOf(revision: string): PassBatches {
    const found = this.#batches.get(revision) ?? new PassBatches();
    this.#batches.set(revision, found);
    return found;
  }

  #totals(revision: string): Totals {
    const { sinceRollout, ...rest } = [...this.#accounts.values()]
      .filter((a) => a.revision === revision)
      .map(totalsOf)
      .reduce(add, this.#closed.get(revision) ?? NOTHING);
    const batches = { ...sinceRollout.batches, ...this.#batches.get(revision)?.all() };
    return { sinceRollout: { ...sinceRollout, batches }, ...rest };
  }

  /** What every revision has counted since the rollout began: what a window that begins now leaves out. */
  #bases(at: Date): Bases {
    for (const batches of this.#batches.values()) batches.end(at);
    const revisions = new Set([...this.#closed.keys(), ...[...this.#accounts.values()].map((a) => a.revision)]);
    return new Map([...revisions].map((revision) => [revision, this.#totals(revision).sinceRollout]));
  }

  #close(account: Account): void {
    this.#closed.set(account.revision, add(this.#closed.get(account.revision) ?? NOTHING, totalsOf(account)));
  }
}
