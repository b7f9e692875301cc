import { expect, test } from 'vitest';
import { inOnes, judgedIn, labels, latencies, type Scene, seen, served, shadowed, tally } from './builders.ts';
import { guardCause, guardSentence } from './sentence.ts';

const stable = seen(served(5000));
const sentence = (scene: Scene): string => {
  const [status] = judgedIn(scene);
  return status === undefined ? '' : guardSentence(status);
};

test.each<[string, Scene, RegExp]>([
  [
    'errors',
    { guards: [{ name: 'e', errors: { max: '1%' } }], candidate: seen(served(200, 60)), stable },
    /^guard e failed: 30% of 200 requests \(between 1\d\.\d+% and 4\d\.\d+%\), limit 1%$/,
  ],
  [
    'too few requests',
    { guards: [{ name: 'e', errors: { max: '1%' } }], candidate: seen(served(492)), stable },
    /^guard e needs more requests: 0% of 492 requests \(between 0% and .*\), limit 1%, about 1m more$/,
  ],
  [
    'no requests',
    { guards: [{ name: 'e', errors: { max: '1%' } }], candidate: seen(served(0)), stable },
    /^guard e sees nothing: the candidate has had no requests since the step began$/,
  ],
  [
    'a shared fault',
    {
      guards: [{ name: 'e', errors: { max: '1%' } }],
      candidate: seen(served(400, 120)),
      stable: seen(served(4000, 1200)),
    },
    /^guard e blames no version: 30% of 400 requests .*; the stable version suffers it too: 30%$/,
  ],
  [
    'latency',
    {
      guards: [{ name: 'l', latency: { threshold: '60ms', quantile: 95 } }],
      candidate: seen(latencies({ 120: 40 })),
      stable,
    },
    /^guard l failed: 100% of 40 served requests .*limit 5%; share over 60ms; p95 is 100ms to 150ms$/,
  ],
  [
    'labels',
    { guards: [{ name: 'a', accuracy: { min: '90%' } }], candidate: seen(labels(300, 200)), stable },
    /^guard a failed: 60% of 500 labelled answers .*limit 90%; share of right answers$/,
  ],
  [
    'compared answers',
    {
      guards: [{ name: 'd', disagreement: { max: '2%', tolerance: '1e-3', k: 5 } }],
      phase: 'Shadowing',
      candidate: seen(served(10)),
      stable: seen(served(10), { shadow: shadowed(200, 40) }),
    },
    /^guard d failed: 20% of 200 compared answers /,
  ],
  [
    'predictions',
    {
      guards: [{ name: 'p', predictionShift: { psi: '0.2' } }],
      candidate: seen(served(500), {
        predictionLook: {
          look: 6,
          predictions: [{ name: 'delay', candidate: [200, 300, 900, 2000], stable: [850, 850, 850, 850] }],
        },
      }),
      stable,
    },
    /^guard p failed: 0\.\d+ over 3400 predictions \(between 0\.\d+ and \d\.\d+\), limit 0\.2; PSI of delay$/,
  ],
  [
    'no look at predictions yet',
    { guards: [{ name: 'p', predictionShift: { psi: '0.2' } }], candidate: seen(served(50)), stable },
    /^guard p waits: the first look is at 100 rows of each version$/,
  ],
  [
    'a plain number',
    {
      guards: [{ name: 'q', prometheus: { value: 'v', max: '0.35', failures: 3, interval: '15s' } }],
      candidate: seen(served(50)),
      external: { q: { kind: 'Value', value: 0.5, badInARow: 1, goodInARow: 0 } },
    },
    /^guard q needs more looks: 0\.5, limit 0\.35; 1 look beyond the limit, about 30s more$/,
  ],
  [
    'counts of a query',
    {
      guards: [{ name: 'q', prometheus: { bad: 'b', total: 't', max: '3%', failures: 3, interval: '15s' } }],
      candidate: seen(served(50)),
      external: { q: { kind: 'Rates', bad: 60, total: 400, batches: inOnes(400, 60) } },
    },
    /^guard q failed: 15% of 400 events /,
  ],
  [
    'a failed test',
    {
      guards: [{ name: 't', job: { image: 'i', timeout: '1m' } }],
      candidate: seen(tally()),
      external: { t: { kind: 'Ended', passed: false, message: 'exit code 3' } },
    },
    /^guard t failed: failed, limit exit code 0; exit code 3$/,
  ],
  [
    'a test that runs',
    {
      guards: [{ name: 't', job: { image: 'i', timeout: '1m' } }],
      candidate: seen(tally()),
      external: { t: { kind: 'Running' } },
    },
    /^guard t waits: the test is running$/,
  ],
])('%s', (_what, scene, want) => expect(sentence(scene)).toMatch(want));

test('a cause is a sentence', () => {
  const [status] = judgedIn({
    guards: [{ name: 'e', errors: { max: '1%' } }],
    candidate: seen(served(200, 60)),
    stable,
  });
  expect(status && guardCause(status)).toMatchObject({
    reason: 'GuardFailed',
    message: expect.stringMatching(/^Guard e failed: 30% of 200 requests .*limit 1%\.$/),
  });
});

test('a status that was stored before guards had kinds still reads', () => {
  const old = { name: 'e', verdict: 'Pass', rate: '0%', low: '0%', high: '0.5%', limit: '1%', n: 900 } as const;
  expect(guardSentence(old)).toBe('guard e passes: 0% of 900 requests (between 0% and 0.5%), limit 1%');
  expect(guardSentence({ ...old, verdict: 'Blind' })).toBe('guard e sees nothing: no requests of the candidate');
});
