import { inferenceServiceSpecSchema } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../arguments.ts';
import { COLUMNS } from '../render/text.ts';
import { rehearsalLines } from './lines.ts';
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
  test('says the same each time it is asked, in lines of at most 80 columns', () => {
    const asked = question({ faults: { errors: 0.3, slow: 0.2 } });
    const lines = rehearsalLines(asked, whatIf(asked));
    expect(rehearsalLines(asked, whatIf(asked))).toEqual(lines);
    expect(lines.every((line) => line.length <= COLUMNS)).toBe(true);
    expect(lines[0]).toBe('5 rollouts of a candidate as good as the stable version, 200 requests/s:');
  });
  test.each([
    [['infs/a'], 'write --rps=100'],
    [['--rps=100'], 'infs/NAME or -f FILE'],
    [['infs/a', '--rps=100', '--errors=30'], 'write --errors=30%'],
    [['infs/a', '--rps=100', '--slow=300%'], 'write --slow=30%'],
    [['infs/a', '--rps=100', '--runs=0'], 'write --runs=20'],
    [['infs/a', '--rps=100', '--most=soon'], 'write --most=24h'],
  ])('%j is refused with what to write instead', (flags, why) => {
    expect(() => parseCommand(['rehearse', ...flags])).toThrow(why);
  });
});
