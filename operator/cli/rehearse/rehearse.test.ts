import { inferenceServiceSpecSchema } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../arguments.ts';
import { COLUMNS } from '../render/text.ts';
import { rehearsalLines } from './lines.ts';
import { replay } from './replayed.ts';
import { replayLines } from './replayLines.ts';
import { type WhatIf, whatIf } from './whatIf.ts';

const { rollout } = inferenceServiceSpecSchema.parse({
  model: { name: 'flights', version: '1.1.0' },
  rollout: {
    steps: [{ weight: 10 }, { weight: 100 }],
    guards: [
      { name: 'errors', errors: { max: '2%' } },
      { name: 'latency', latency: { threshold: '60ms', quantile: 95 } },
    ],
    bake: '30s',
  },
});
const question = (over: Partial<WhatIf> = {}): WhatIf => ({
  rollout,
  perSecond: 200,
  faults: {},
  runs: 5,
  mostSeconds: 3600,
  ...over,
});

describe('kubectl slipway rehearse', () => {
  const { sound, faulty } = whatIf(question({ faults: { errors: 0.3 } }));
  test('promotes a good candidate every time, and takes the longest where it gets the least', () => {
    expect(sound).toMatchObject({ runs: 5, promoted: 5, rolledBack: 0, held: 0 });
    expect(sound.steps.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(sound.steps[0]?.seconds).toBeGreaterThan(sound.steps[1]?.seconds ?? Number.NaN);
    expect(sound.steps[2]?.seconds).toBe(30);
  });
  test('finds a candidate that fails a third of its requests within seconds, by the guard on errors', () => {
    expect(faulty).toMatchObject({ rolledBack: 5, promoted: 0, guard: 'errors' });
    expect(faulty?.toRollback.median).toBeLessThanOrEqual(5);
    expect(faulty?.failed).toBeGreaterThan(0);
  });
  test('tells what no guard of the policy can see', () => {
    const asked = question({ faults: { disagree: 0.9 } });
    const text = rehearsalLines(asked, whatIf(asked)).join(' ');
    expect(text).toContain('no guard of this policy tells it from a good one');
  });
  test('says that the time of a step is longer than what is played', () => {
    const steps = [{ weight: 50, for: '14d' }, { weight: 100 }];
    const asked = question({ rollout: { ...rollout, steps }, mostSeconds: 600 });
    expect(rehearsalLines(asked, whatIf(asked))).toContain('  waits for  time: steps last longer than 10m, see --most');
  });
  test('says the same each time it is asked, in lines of at most 80 columns', () => {
    const asked = question({ faults: { errors: 0.3, slow: 0.2 } });
    const lines = rehearsalLines(asked, whatIf(asked));
    expect(rehearsalLines(asked, whatIf(asked))).toEqual(lines);
    expect(lines.every((line) => line.length <= COLUMNS)).toBe(true);
    expect(lines[0]).toBe('5 rollouts of a candidate as good as the stable version, 200 requests/s:');
  });
  test('a replay fits 80 columns, says what it left out, and what each field of its object holds', () => {
    const at = Date.UTC(2030, 0, 1);
    const interval = { total: 1000, bad: 1, invalid: 0, slower: {}, right: 0, wrong: 0, seconds: 10 };
    const stable = Array.from({ length: 30 }, (_, i) => ({ ...interval, at: at + i * 10_000 }));
    const answer = replay({ rollout, recording: { stable, candidate: [] }, runs: 5, mostSeconds: 3600 });
    const lines = replayLines(rollout, answer);
    expect(lines.filter((line) => line.length > COLUMNS)).toEqual([]);
    expect(lines.join(' ')).toContain('0 of 5 rolled back by mistake: up to ');
    expect(lines.join(' ')).toContain('left out   latency: the record does not tell how many were slower than 60 ms');
    expect(answer.traffic).toMatchObject({ requests: 30_000, perSecond: 100, intervals: 30, stableFailed: 0.001 });
    expect(answer.asRecorded).toMatchObject([{ name: 'errors', verdict: 'Pass', failsAt: null, n: 30_000 }]);
    expect(answer.resampled).toMatchObject({ promoted: 5, rolledBack: 0, blockSeconds: 75 });
  });
  test('a record of a candidate alone is replayed, and nothing is drawn from it', () => {
    const at = Date.UTC(2030, 0, 1);
    const interval = { total: 1000, bad: 300, invalid: 0, slower: { 60: 1 }, right: 0, wrong: 0, seconds: 10 };
    const candidate = [0, 1, 2].map((i) => ({ ...interval, at: at + i * 10_000 }));
    const answer = replay({ rollout, recording: { stable: [], candidate }, runs: 5, mostSeconds: 3600 });
    expect(answer.asRecorded).toMatchObject([{ verdict: 'Fail' }, { name: 'latency' }]);
    expect(answer.resampled).toBeUndefined();
    const text = replayLines(rollout, answer).join(' ').replaceAll(/\s+/g, ' ');
    expect(text).toContain('stable asked nothing, candidate 30% failed');
  });
  test.each([
    [['infs/a'], 'write --rps=100'],
    [['--rps=100'], 'infs/NAME or -f FILE'],
    [['infs/a', '--rps=100', '--errors=30'], 'write --errors=30%'],
    [['infs/a', '--rps=100', '--slow=300%'], 'write --slow=30%'],
    [['infs/a', '--rps=100', '--runs=0'], 'write --runs=20'],
    [['infs/a', '--rps=100', '--most=soon'], 'write --most=24h'],
    [['infs/a', '--from=a', '--prometheus=http://p'], 'write --from=FILE or --prometheus=URL'],
    [['infs/a', '--from=a', '--rps=100'], '--rps is for traffic that is made up'],
    [['infs/a', '--prometheus=http://p', '--errors=30%'], '--errors is for traffic that is made up'],
    [['infs/a', '--from=a', '--since=1h'], '--since goes with --prometheus: write --prometheus=http://localhost:9090'],
    [['infs/a', '--rps=100', '--record=b'], '--record goes with --prometheus'],
    [['infs/a', '--prometheus=p'], 'write --prometheus=http://localhost:9090'],
    [['infs/a', '--prometheus=http://p', '--since=ever'], 'write --since=24h'],
    [['infs/a', '--prometheus=http://p', '--interval=0s'], 'write --interval=15s'],
    [['infs/a', '--prometheus=http://p', '--since=200h'], 'seven days at most: write --since=24h'],
    [['infs/a', '--prometheus=http://p', '--since=30s'], 'four intervals at least: write --since=24h --interval=15s'],
  ])('%j is refused with what to write instead', (flags, why) => {
    expect(() => parseCommand(['rehearse', ...flags])).toThrow(why);
  });
});
