import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { progressInLog } from './progressLog.ts';

test.each([
  [
    "katib#1801: Katib's format, among other text",
    'Epoch 2: accuracy=0.91 loss = 1e-3 lr=.5',
    { metrics: { accuracy: 0.91, loss: 0.001, lr: 0.5 } },
  ],
  [
    'JSON lines',
    '{"step": 3, "total": 10, "epoch": 1, "loss": 0.5, "note": "fine"}',
    { step: 3, total: 10, epoch: 1, metrics: { loss: 0.5 } },
  ],
  [
    'JSON lines with metrics of their own',
    '{"step": 3, "metrics": {"loss": 0.5}}',
    { step: 3, metrics: { loss: 0.5 } },
  ],
  [
    "the dict that Hugging Face's Trainer prints",
    "{'loss': 0.69, 'grad_norm': nan, 'learning_rate': 5e-05, 'epoch': 0.33}",
    { epoch: 0, metrics: { loss: 0.69, learning_rate: 0.00005 }, nonFinite: { grad_norm: 'NaN' } },
  ],
  [
    'the dict of its version 5, whose values are text',
    "{'loss': '3.152', 'grad_norm': '9.201', 'learning_rate': '8.333e-06', 'epoch': '0.75'}",
    { epoch: 0, metrics: { loss: 3.152, grad_norm: 9.201, learning_rate: 0.000008333 } },
  ],
  [
    'the last of several lines, name by name',
    'step=1 loss=3\nstep=2 loss=2\naccuracy=0.5\n',
    { step: 2, metrics: { loss: 2, accuracy: 0.5 } },
  ],
  ['a loss that overflowed', 'step=7 loss=-inf', { step: 7, nonFinite: { loss: '-Infinity' } }],
])('%s is read', (_what, log, progress) => {
  expect(progressInLog(log)).toEqual({ step: 0, source: 'Log', ...progress });
});

test.each([
  ['words', 'starting up\ndone'],
  ['versions and addresses', 'torch==2.15.0 url=10.0.0.1:29500 id=3f9a memory=80GB used=40%'],
  ['a log of nothing', ''],
])('%s are no progress', (_what, log) => expect(progressInLog(log)).toBeUndefined());

test('whatever stands in a log, what comes of it has 32 metrics at most and finite numbers only', () => {
  const line = fc.oneof(
    fc.string(),
    fc.json(),
    fc.tuple(fc.string(), fc.double()).map(([a, b]) => `${a}=${b}`),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const { metrics = {}, nonFinite = {}, step = 0 } = progressInLog(lines.join('\n')) ?? {};
      expect(Object.keys(metrics).length + Object.keys(nonFinite).length).toBeLessThanOrEqual(32);
      expect([...Object.values(metrics), step].every(Number.isFinite)).toBe(true);
    }),
  );
});
