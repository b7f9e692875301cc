import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAILURE } from '../../../test/trainingBuilders.ts';
import { type Act, acts, goWell } from './model/acts.ts';
import { Cluster, isOver } from './model/cluster.ts';

const RUNS = 600;
const MOST_ACTS = 50;
/** Acts in all, each with a pass after it. */
const ENOUGH = 10_000;
/** Passes in which everything that is under way has come to where it waits for time or people. */
const SETTLED_AFTER = 12;
/** Looks, each after the time that the pass before asked for, in which a job that goes well has ended. */
const ARRIVES_AFTER = 40;

/** As long as a pod is waited for past the time that it had to end in. */
const PATIENCE_MS = 30_000;

interface Setting {
  readonly nodes: number;
  readonly queue: string | undefined;
  readonly restarts: number;
  readonly disruptions: number;
}
const settings: fc.Arbitrary<Setting> = fc.record({
  nodes: fc.constantFrom(1, 2, 3),
  queue: fc.constantFrom(undefined, 'team-a'),
  restarts: fc.nat(3),
  disruptions: fc.nat(3),
});

const overdue = ({ now }: Cluster, deletedAt: number | undefined): boolean =>
  deletedAt !== undefined && now >= deletedAt + PATIENCE_MS;

/** What a run was, and what it may cost: the largest budgets that were ever set, and each suspension. */
class Ledger {
  readonly #lines: string[] = [];
  readonly #started = new Set<number>();
  #most = { restarts: 0, disruptions: 0 };
  #suspensions = 0;
  #ended: string | undefined;

  add(told: string, cluster: Cluster): void {
    const { phase, attempt, restarts = 0, disruptions = 0 } = cluster.tj.status ?? {};
    this.#lines.push(`${told}: ${phase} a${attempt} ${restarts}+${disruptions}`);
  }

  /** Before a pass: what it may do at most. */
  before({ tj }: Cluster): void {
    const { restarts, disruptions } = tj.spec.failure;
    this.#most = {
      restarts: Math.max(this.#most.restarts, restarts),
      disruptions: Math.max(this.#most.disruptions, disruptions),
    };
    if (tj.spec.suspend === true && tj.status?.phase !== 'Suspended') this.#suspensions += 1;
  }

  check(cluster: Cluster): void {
    const { phase, attempt = 0, restarts = 0, disruptions = 0 } = cluster.tj.status ?? {};
    for (const job of cluster.liveJobs()) this.#started.add(job.attempt);
    if (restarts > this.#most.restarts) this.fail('more restarts than the budget');
    if (disruptions > this.#most.disruptions) this.fail('more disruptions than the budget');
    if (attempt > restarts + disruptions + this.#suspensions) this.fail('an attempt that nothing paid for');
    if (this.#started.size > attempt + 1) this.fail('more attempts were started than counted');
    if (this.#ended !== undefined && phase !== this.#ended) this.fail(`${this.#ended} became ${phase}`);
    if (isOver(cluster)) this.#ended ??= phase;
    this.#oneGang(cluster);
  }

  /** Two gangs would share checkpoints and accelerators: only pods that their node does not end in time may be left beside a new one. */
  #oneGang(cluster: Cluster): void {
    const holds = cluster
      .livePods()
      .filter(
        ({ component, node, deletedAt }) =>
          component === 'training' && !(cluster.lost.has(node) || overdue(cluster, deletedAt)),
      );
    if (new Set(holds.map(({ job }) => job)).size > 1) this.fail('two gangs at once');
  }

  /** After a whole pass: a gang that lost a pod is not the current attempt any more. */
  torn(cluster: Cluster): void {
    const torn = cluster.liveJobs().find((job) => job.torn === true);
    if (torn !== undefined && torn.attempt === cluster.tj.status?.attempt && !isOver(cluster))
      this.fail('a torn gang goes on');
  }

  fail(why: string): never {
    throw new Error(`${why}\n  ${this.#lines.map((line, i) => `${i}. ${line}`).join('\n  ')}`);
  }
}

function passOn(cluster: Cluster, ledger: Ledger, { told, cut }: Pick<Act, 'told' | 'cut'>): void {
  const over = isOver(cluster);
  const jobs = new Set([...cluster.jobs.values()].map(({ uid }) => uid));
  ledger.before(cluster);
  cluster.pass(cut);
  ledger.add(told, cluster);
  ledger.check(cluster);
  if (cut === undefined) ledger.torn(cluster);
  if (over && [...cluster.jobs.values()].some(({ uid }) => !jobs.has(uid)))
    ledger.fail('a finished job starts something');
}

/** With the clock standing still and nothing broken, passes come to an end, and the last one asks for nothing new. */
function settles(cluster: Cluster, ledger: Ledger): void {
  for (let pass = 0, before = ''; before !== JSON.stringify(cluster.everything()); pass += 1) {
    if (pass > SETTLED_AFTER) ledger.fail('a quiet world does not settle');
    before = JSON.stringify(cluster.everything());
    passOn(cluster, ledger, { told: 'quiet' });
    cluster.step();
    cluster.reap();
  }
  const { spec, status } = cluster.tj;
  const held = cluster.livePods().filter(({ node }) => !cluster.lost.has(node));
  if (spec.suspend === true && !isOver(cluster) && held.length > 0) ledger.fail('a suspended job has pods');
  if (status?.phase === 'Failed' && held.length > 0) ledger.fail('a failed job has pods');
}

/** When all is well and nobody suspends it, a job ends. */
function arrives(cluster: Cluster, ledger: Ledger): void {
  cluster.tj = { ...cluster.tj, spec: { ...cluster.tj.spec, suspend: false } };
  for (let look = 0; !isOver(cluster); look += 1) {
    if (look > ARRIVES_AFTER) ledger.fail('it never ends');
    goWell(cluster);
    passOn(cluster, ledger, { told: 'all is well' });
    const { next } = cluster.pass() ?? {};
    cluster.now += next?.kind === 'again' ? Math.min(next.afterMs, 400_000) + 1 : 1000;
  }
}

function runThrough({ nodes, queue, restarts, disruptions }: Setting, all: readonly Act[]): Cluster {
  const failure = { ...FAILURE, restarts, disruptions };
  const cluster = new Cluster({ nodes, failure, ...(queue === undefined ? {} : { queue }) });
  const ledger = new Ledger();
  for (const act of all) {
    act.run(cluster);
    passOn(cluster, ledger, act);
  }
  settles(cluster, ledger);
  arrives(cluster, ledger);
  return cluster;
}

describe('a TrainingJob to which anything happens in any order', { timeout: 120_000 }, () => {
  test(`kubeflow/trainer#3779, #2991, jobset#574: holds its budgets after each of ${ENOUGH} acts and more, and comes to rest`, () => {
    const ends = new Map<string, number>();
    let acted = 0;
    fc.assert(
      fc.property(settings, fc.array(acts, { minLength: 1, maxLength: MOST_ACTS, size: 'max' }), (setting, all) => {
        const { tj } = runThrough(setting, all);
        acted += all.length;
        for (const reached of [tj.status?.phase ?? '', ...(tj.status?.attempts ?? []).map((a) => a.class)]) {
          ends.set(reached, (ends.get(reached) ?? 0) + 1);
        }
      }),
      { numRuns: RUNS },
    );
    expect(acted).toBeGreaterThan(ENOUGH);
    // A model in which nothing happens would hold anything.
    expect([...ends.keys()].sort()).toEqual(
      expect.arrayContaining([
        'AcceleratorFault',
        'AttemptLost',
        'Disrupted',
        'Failed',
        'NodeLost',
        'OutOfMemory',
        'Succeeded',
        'UserError',
      ]),
    );
  });
});
