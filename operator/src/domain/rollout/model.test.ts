import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Act, acts, approve, GUARDS, STEPS } from './model/acts.ts';
import { Cluster } from './model/cluster.ts';
import { invariantsFor, shortOfPods } from './model/invariants.ts';
import { type Plan, plan } from './plan.ts';
import type { World } from './world.ts';

/** `make simulate` plays many more, from a seed of its own. */
const RUNS = fc.readConfigureGlobal().numRuns ?? 800;
/** Runs are of any length up to this, so that a failure shrinks to the few acts it takes. */
const MOST_ACTS = 60;
/** Acts in all, each with a pass after it. */
const ENOUGH = RUNS * 25;
/** Passes in which everything that is under way has come to where it waits for time, people or requests. */
const SETTLED_AFTER = 40;

interface Setting {
  readonly steps: string;
  readonly guards: string;
  readonly min: number;
  readonly surge: 'Auto' | 'Never';
  readonly provider: 'Gateway' | 'Replicas';
  readonly bake: string;
}
const guards = fc.constantFrom(...Object.keys(GUARDS));
const bake = fc.constantFrom('0s', '20s');
const beside: fc.Arbitrary<Setting> = fc.record({
  steps: fc.constantFrom(...Object.keys(STEPS)),
  guards,
  min: fc.constantFrom(1, 2, 4),
  surge: fc.constant('Auto'),
  provider: fc.constant('Gateway'),
  bake,
});
/** Weights that whole pods can give, in place and counted. */
const ofPods: fc.Arbitrary<Setting> = fc.record({
  steps: fc.constantFrom('all at once', 'halves'),
  guards,
  min: fc.constantFrom(2, 4),
  surge: fc.constantFrom('Auto', 'Never'),
  provider: fc.constantFrom('Gateway', 'Replicas'),
  bake,
});
const settings = fc.oneof({ weight: 4, arbitrary: beside }, { weight: 1, arbitrary: ofPods });

const clusterOf = ({ steps, guards, min, surge, provider, bake }: Setting): Cluster => {
  const rollout: Partial<World['spec']['rollout']> = { steps: STEPS[steps] ?? [], guards: GUARDS[guards], surge, bake };
  return new Cluster(rollout, min, { provider });
};

/** A run as sentences: what was given, then each act with the rule that answered it and what it led to. */
class Trace {
  readonly #lines: string[];
  constructor({ steps, guards, min, surge, provider, bake }: Setting) {
    this.#lines = [`${steps}; ${guards}; ${min} pods; surge ${surge}; provider ${provider}; bake ${bake}`];
  }
  add(told: string, { rule, backends, status }: Plan): void {
    const { phase = 'no candidate', step = 0, version = '' } = status.candidate ?? {};
    const route = backends.map(({ revision, weight }) => `${revision} ${weight}`).join(', ');
    this.#lines.push(`${told}: ${rule} -> ${version} ${phase}, step ${step}; route ${route}`);
  }
  fail(why: string): never {
    throw new Error(`${why}\n  ${this.#lines.map((line, i) => `${i}. ${line}`).join('\n  ')}`);
  }
}

function passOn(cluster: Cluster, trace: Trace, told: string): void {
  cluster.pass((world, decided) => {
    trace.add(told, decided);
    for (const invariant of invariantsFor(world.spec)) {
      const wrong = invariant(world, decided, cluster);
      if (wrong !== undefined) trace.fail(wrong);
    }
  });
  const short = shortOfPods(cluster);
  if (short !== undefined) trace.fail(short);
}

/** With the clock standing still and nothing broken, passes come to an end, and the last one asks for nothing new. */
function settles(cluster: Cluster, trace: Trace): void {
  cluster.calm();
  for (let pass = 0, before = ''; before !== JSON.stringify(cluster.everything()); pass += 1) {
    if (pass > SETTLED_AFTER) trace.fail('a quiet world does not settle');
    before = JSON.stringify(cluster.everything());
    passOn(cluster, trace, 'quiet');
    cluster.settlePods();
  }
  if (plan(cluster.world()).events.length > 0) trace.fail('a settled world still tells something new');
}

/**
 * What may keep a good candidate in a good world: what was counted in bad times, and what no pods can give.
 */
const KEPT_BY = ['SharedFault', 'GuardNeedsMore', 'GuardBlind', 'WeightNotPossible', 'RejectedVersion', 'RolledBack'];

const reasonOf = ({ latest }: Cluster): string =>
  latest.status.conditions?.find(({ type }) => type === 'RolloutComplete')?.reason ?? '';

/** When all is well again and people approve, what the spec asks for is served in the end, or the status says why not. */
function arrives(cluster: Cluster, trace: Trace): void {
  cluster.mend();
  for (let pass = 0; pass < SETTLED_AFTER && reasonOf(cluster) !== 'Complete'; pass += 1) {
    if (cluster.latest.status.candidate?.awaitingApproval === true) approve.run(cluster);
    cluster.elapse(12);
    passOn(cluster, trace, 'all is well');
    cluster.settlePods();
  }
  const reason = reasonOf(cluster);
  if (reason !== 'Complete' && !KEPT_BY.includes(reason)) trace.fail(`it never arrives: ${reason}`);
}

function runThrough(setting: Setting, all: readonly Act[]): Cluster {
  const cluster = clusterOf(setting);
  const trace = new Trace(setting);
  for (const { told, run } of all) {
    run(cluster);
    passOn(cluster, trace, told);
  }
  settles(cluster, trace);
  arrives(cluster, trace);
  return cluster;
}

describe('a service to which anything happens in any order', { timeout: 600_000 }, () => {
  test(`holds what it promises after each of ${ENOUGH} acts and more, and comes to rest`, () => {
    const reached = new Set<string>();
    let acted = 0;
    fc.assert(
      fc.property(settings, fc.array(acts, { minLength: 1, maxLength: MOST_ACTS, size: 'max' }), (setting, all) => {
        const { latest, told } = runThrough(setting, all);
        acted += all.length;
        for (const reason of [...told, ...(latest.status.history ?? []).map((entry) => entry.reason)])
          reached.add(reason);
      }),
      { numRuns: RUNS },
    );
    expect(acted).toBeGreaterThan(ENOUGH);
    // A model in which nothing happens would hold anything.
    expect([...reached].sort()).toEqual(
      expect.arrayContaining([
        'AwaitingApproval',
        'BakeStarted',
        'CandidateReplaced',
        'OutsideWindow',
        'PreviewStarted',
        'Promoted',
        'RollbackStarted',
        'RolledBack',
        'RolloutAborted',
        'SecondOpinionAsked',
        'ShadowStarted',
        'WeightChanged',
      ]),
    );
  });
});
