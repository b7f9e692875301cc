import { describe, expect, test } from 'vitest';
import { latencies, seen, tally, verdictIn } from './builders.ts';
import { quantileText, slowerThan } from './latency.ts';

const p95 = { name: 'latency', latency: { threshold: '60ms', quantile: 95 } };
const worseBy = { name: 'latency', latency: { threshold: '60ms', quantile: 95, worseBy: '2%' } };
const fast = seen(latencies({ 40: 20_000, 90: 100 }));

describe('latency', () => {
  test.each([
    ['p95 far below the threshold passes', { 40: 2000, 90: 20 }, 'Pass'],
    ['a tenth of twenty requests being slow is no verdict', { 40: 18, 90: 2 }, 'NeedMore'],
    ['three times slower fails after tens of requests', { 120: 40 }, 'Fail'],
    ['a share of 15 % over p95 fails', { 40: 850, 90: 150 }, 'Fail'],
    ['an answer that took exactly the threshold is not slow', { 60: 2000 }, 'Pass'],
    ['an answer beyond the last bound is slow', { 20000: 40 }, 'Fail'],
    ['no answer leaves it blind', {}, 'Blind'],
  ])('as a limit of its own: %s', (_sentence, byMs, verdict) =>
    expect(verdictIn({ guards: [p95], candidate: seen(latencies(byMs)), stable: fast }).verdict).toBe(verdict),
  );

  test.each([
    ['as fast passes', { 40: 20_000, 90: 100 }, 'Pass'],
    ['a quarter being slow fails', { 40: 300, 90: 100 }, 'Fail'],
  ])('against the stable version: %s', (_sentence, byMs, verdict) =>
    expect(verdictIn({ guards: [worseBy], candidate: seen(latencies(byMs)), stable: fast }).verdict).toBe(verdict),
  );

  test('against a stable version as slow does not fail', () => {
    const slow = seen(latencies({ 90: 1000, 40: 1000 }));
    expect(verdictIn({ guards: [worseBy], candidate: slow, stable: slow }).verdict).toBe('NeedMore');
  });

  test('shows the share that is slow, its limit, and between which bounds the quantile lies', () => {
    expect(verdictIn({ guards: [p95], candidate: seen(latencies({ 40: 850, 90: 150 })), stable: fast })).toMatchObject({
      rate: '15%',
      limit: '5%',
      n: 1000,
      message: 'share over 60ms; p95 is 80ms to 100ms',
    });
  });

  test('is judged by served requests alone: refusals have no latency', () => {
    const candidate = seen({ ...latencies({ 40: 2000 }), shed: 5000, clientError: 100 });
    expect(verdictIn({ guards: [p95], candidate, stable: fast })).toMatchObject({ verdict: 'Pass', n: 2000 });
  });

  test('counts slow requests that come in bursts for less than as many single ones', () => {
    const slow = latencies({ 40: 900, 90: 100 });
    const burst = { ...slow, batches: { 'slower/60': { count: 10, squaredOverTotal: 100 } } };
    expect(verdictIn({ guards: [p95], candidate: seen(slow), stable: fast }).verdict).toBe('Fail');
    // All hundred slow ones in one of ten seconds: one bad second.
    expect(verdictIn({ guards: [p95], candidate: seen(burst), stable: fast }).verdict).toBe('NeedMore');
  });
});

describe('the histogram', () => {
  test.each([
    ['0.1', 5],
    ['60', 3],
    ['10000', 1],
  ])('tells how many took more than %s ms', (threshold, slower) => {
    expect(slowerThan(Number(threshold))(latencies({ 0.05: 1, 1: 1, 60: 1, 75: 2, 20000: 1 }))).toBe(slower);
  });

  test.each([
    ['between two bounds', { 40: 95, 60: 5 }, 95, 'p95 is 30ms to 40ms'],
    ['from the next bound on where fewer are below', { 40: 94, 60: 6 }, 95, 'p95 is 50ms to 60ms'],
    ['below the first', { 0.05: 1 }, 50, 'p50 is 0ms to 0.1ms'],
    ['over the last', { 20000: 1 }, 99, 'p99 is over 10000ms'],
  ])('tells a quantile %s', (_where, byMs, quantile, text) => {
    expect(quantileText(latencies(byMs), quantile)).toBe(text);
  });

  test('tells no quantile of nothing', () => expect(quantileText(tally(), 95)).toBeUndefined());
});
