import type { Gathering } from '@slipway/crds/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gather, type Heard, join, type Meeting } from './gathering.ts';

const NAMES = 'nightly-a0-{}.nightly-training.ml.svc';
const SILENT: Heard = { silent: 'its name is not known yet' };

/** Pods of a gang on one clock: each tells what its agent would, from the moment that it came. */
class Gang {
  now = 0;
  readonly said: string[] = [];
  readonly asked: (readonly [number, number])[] = [];
  readonly #told = new Map<number, Gathering>();
  readonly #comesAt: readonly number[];
  readonly #timers: { at: number; go: () => void }[] = [];

  constructor(comesAt: readonly number[]) {
    this.#comesAt = comesAt;
  }

  meeting(rank: number, timeoutMs = 600_000): Meeting {
    return {
      peers: { names: NAMES, count: this.#comesAt.length },
      rank,
      timeoutMs,
      ask: async (other) => {
        this.asked.push([this.now, other]);
        return this.now < (this.#comesAt[other] ?? 0)
          ? SILENT
          : (this.#told.get(other) ?? { silent: 'it has not begun' });
      },
      tell: async (gathering) => {
        this.#told.set(rank, gathering);
      },
      say: (line) => this.said.push(`${rank}: ${line}`),
      now: () => this.now,
      pause: (ms) => new Promise((go) => this.#timers.push({ at: this.now + ms, go })),
    };
  }

  tells(rank: number, gathering: Gathering): void {
    this.#told.set(rank, gathering);
  }

  /** Starts each rank when it comes, and moves the clock from timer to timer until all are done. */
  async play(ranks: readonly number[], timeoutMs?: number): Promise<PromiseSettledResult<number>[]> {
    let going = ranks.length;
    const runs = ranks.map(async (rank) => {
      await new Promise<void>((go) => this.#timers.push({ at: this.#comesAt[rank] ?? 0, go }));
      await (rank === 0 ? gather : join)(this.meeting(rank, timeoutMs)).finally(() => {
        going -= 1;
      });
      return this.now;
    });
    const settled = Promise.allSettled(runs);
    while (going > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#timers.sort((a, b) => a.at - b.at);
      const next = this.#timers.shift();
      if (next === undefined) continue;
      this.now = Math.max(this.now, next.at);
      next.go();
    }
    return settled;
  }
}

const all = (gang: readonly number[]) => gang.map((_, rank) => rank);
const reasons = (results: readonly PromiseSettledResult<number>[]) =>
  results.map((result) => (result.status === 'rejected' ? result.reason : undefined));

describe('the pods of an attempt', () => {
  test('none goes on before the last has come, and all do soon after', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(120_000), { minLength: 2, maxLength: 12 }), async (comesAt) => {
        const results = await new Gang(comesAt).play(all(comesAt));
        const last = Math.max(...comesAt);
        for (const result of results) {
          const at = result.status === 'fulfilled' ? result.value : Number.NaN;
          expect(at).toBeGreaterThanOrEqual(last);
          expect(at).toBeLessThanOrEqual(last + 3_000);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('kubernetes#92559: nobody looks a name up in its first second, and pod 0 alone looks up more than one', async () => {
    const gang = new Gang([0, 4_000, 2_000, 1_000]);
    await gang.play([0, 1, 2, 3]);
    expect(Math.min(...gang.asked.map(([at]) => at))).toBe(1_000);
    const byWorkers = gang.asked.filter(([, rank]) => rank === 0);
    expect(byWorkers.length).toBeGreaterThan(0);
    expect(gang.asked.filter(([, rank]) => rank !== 0).length).toBeLessThan(20);
  });

  test('pytorch-operator#125: one that never comes ends all in time, named with its host and why', async () => {
    const results = await new Gang([0, 0, 1e9]).play([0, 1], 60_000);
    const [ofMaster, ofWorker] = reasons(results);
    expect(ofMaster).toMatchObject({
      reason: 'Rendezvous',
      message: `Not all pods found each other within 60 s: missing rank 2 of 3 (${NAMES.replace('{}', '2')}: its name is not known yet).`,
    });
    expect(ofWorker).toMatchObject({ reason: 'Rendezvous', message: expect.stringContaining('missing rank 2 of 3') });
  });

  test('kubeflow/trainer#2034: a master that never starts is named by those who wait for it', async () => {
    const [reason] = reasons(await new Gang([1e9, 0]).play([1], 30_000));
    expect(reason).toMatchObject({ message: expect.stringContaining('missing rank 0 of 2') });
  });

  test('who is missing is said every ten seconds, not at each look', async () => {
    const gang = new Gang([0, 35_000]);
    await gang.play([0, 1]);
    expect(gang.said).toEqual(
      Array(3).fill(`0: waiting for rank 1 of 2 (${NAMES.replace('{}', '1')}: its name is not known yet)`),
    );
  });

  test('the time in which pod 0 fetches data sets is no time of waiting', async () => {
    const gang = new Gang([0, 0]);
    gang.tells(0, { stage: 'Preparing', missing: [] });
    const played = gang.play([1], 30_000);
    const watch = setInterval(() => gang.now > 200_000 && gang.tells(0, { stage: 'Complete', missing: [] }), 0);
    const [result] = await played;
    clearInterval(watch);
    expect(result).toMatchObject({ status: 'fulfilled' });
    expect(gang.now).toBeGreaterThan(200_000);
  });

  test('pod 0 stays until the others have heard: its training may be over before they ask', async () => {
    const gang = new Gang([0, 0]);
    gang.tells(1, { stage: 'Gathering', missing: [0] });
    const [result] = await gang.play([0]);
    // Rank 1 never hears: it is waited for, and not for ever.
    expect(result).toMatchObject({ status: 'fulfilled' });
    expect(gang.now).toBeGreaterThanOrEqual(10_000);
    expect(gang.now).toBeLessThan(15_000);
  });
});
