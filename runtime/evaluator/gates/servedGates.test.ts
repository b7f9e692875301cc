import type { Gate } from '@slipway/crds';
import { describe, expect, it } from 'vitest';
import { affine, lookup, modelArtifact } from '../../test/artifacts.ts';
import { judgeOne } from '../testing/evidence.ts';
import { millisecondsOf } from './latencyGate.ts';
import { openAsServed } from './servedModel.ts';

const golden = (data: readonly number[], y: number) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [y] }],
  tolerance: 0.5,
});
const EXACT = [golden([1, 1], -0.5), golden([3, 0], 6.5)];

async function judge(gate: Gate, lines: readonly object[], model = affine, elapsed = () => performance.now()) {
  const { directory } = await modelArtifact(model, lines);
  return judgeOne(gate, [], {
    elapsed,
    served: async (rows, work) => {
      const open = await openAsServed(directory, rows);
      return work(open).finally(() => open.close());
    },
  });
}

/** A clock by which the n-th timed request takes n milliseconds; warm-up requests do not look at it. */
const counting = () => {
  let [now, calls] = [0, 0];
  return () => {
    calls += 1;
    if (calls % 2 === 0) now += calls / 2;
    return now;
  };
};
const latency = (more: Partial<NonNullable<Gate['latency']>>): Gate => ({
  name: 'latency',
  latency: { batch: 1, requests: 400, ...more },
});

describe('latency', () => {
  it.each([
    ['passes where the upper bound keeps the limit', { p95: '400ms' }, 'Pass'],
    ['fails where the lower bound exceeds it', { p95: '300ms' }, 'Fail'],
    ['needs more where the limit lies between', { p95: '380ms' }, 'NeedMore'],
    ['takes the median too', { p50: '230ms' }, 'Pass'],
  ] as const)('%s', async (_what, order, verdict) => {
    const { result } = await judge(latency(order), EXACT, affine, counting());
    expect(result).toMatchObject({ verdict, n: 400 });
  });

  it('tells quantile, interval, batch, threads and provider', async () => {
    const { result, finding } = await judge(latency({ p95: '400ms' }), EXACT, affine, counting());
    expect(result).toMatchObject({ value: 380, low: 371, high: 389, limit: 400 });
    expect(result.message).toMatch(
      /^p95 380 ms \(95 % 371 ms to 389 ms, n=400\) of golden requests, batch 1, \d+ threads?, cpu is at most 400ms$/,
    );
    expect(finding.facts).toMatchObject({ quantile: 'p95', batch: 1, backend: 'ffi', providers: ['cpu'] });
  });

  it('says how many requests a p99 needs', async () => {
    const { result } = await judge(latency({ p99: '1s', requests: 100 }), [], affine, counting());
    expect(result.verdict).toBe('NeedMore');
    expect(result.message).toContain('set requests to 368 at least: fewer give p99 no upper bound');
  });

  it('times the model as it is served: real requests take real time', async () => {
    const { result } = await judge(latency({ p50: '5s', batch: 16, requests: 100 }), EXACT);
    expect(result.verdict).toBe('Pass');
    expect(result.value).toBeGreaterThan(0);
    expect(result.message).toContain('batch 16');
  });

  it('refuses a batch that the model cannot take', async () => {
    const fixed = {
      ...affine,
      inputs: [{ ...affine.inputs[0], shape: [1, 2] } as (typeof affine.inputs)[number]],
      outputs: [{ ...affine.outputs[0], shape: [1, 1] } as (typeof affine.outputs)[number]],
    };
    await expect(judge(latency({ p50: '5s', batch: 2 }), [], fixed)).rejects.toThrow(
      'Gate latency: the model takes no batches, for its first dimension is fixed; write batch: 1.',
    );
  });

  it('reads limits as the API writes them', () => {
    expect([millisecondsOf('20ms'), millisecondsOf('2s')]).toEqual([20, 2000]);
  });
});

describe('parity', () => {
  const parity: Gate = { name: 'parity', parity: { tolerance: '1e-4' } };

  it('passes answers as they were in training', async () => {
    const { result } = await judge(parity, EXACT);
    expect(result).toMatchObject({ verdict: 'Pass', value: 0, n: 2, limit: 1e-4 });
  });

  it('fails answers that moved, and says how far and where', async () => {
    const { result } = await judge(parity, [EXACT[0] as object, golden([3, 0], 6.51)]);
    expect(result.verdict).toBe('Fail');
    expect(result.value).toBeCloseTo(0.01 / 7.51, 5);
    expect(result.message).toMatch(
      /^answers to 2 golden requests deviate by 0\.01 \(absolute\) and 0\.00154 \(relative\) at most; 0\.00133 of 1 \+ \|expected\| in output "y" of request 2, over 2 values, is above 1e-4$/,
    );
  });

  it('needs golden requests', async () => {
    await expect(judge(parity, [], lookup)).rejects.toThrow('Gate parity needs golden.jsonl, which the artifact lacks');
  });
});
