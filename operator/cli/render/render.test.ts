import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderObject } from '../commands.ts';
import { awaitingApproval, awaitingTwo, gated, NOON, rolledBack, shifting, training } from '../samples.ts';
import { paint, wantsColour } from './colour.ts';
import { COLUMNS, field, span, table, wrap } from './text.ts';

test('a rollout under way shows its step, its three weights and each guard with its interval', () => {
  expect(renderObject(shifting, NOON).join('\n')).toMatchInlineSnapshot(`
    "InferenceService demo/flights
      wants      flights 1.1.0
      url        http://flights.example.com/
      stable     1.0.0, revision 8f2c1, 2/2 ready
      candidate  1.1.0, revision 77aa0, Shifting step 2/4 for 12s
      weight     desired 25.0%, programmed 25.0%, observed 24.3%
      GUARD   VERDICT   RATE  [LOW, HIGH]  LIMIT  N    ETA
      errors  NeedMore  0%    [0%, 3.1%]   1%     120  14s
      conditions
        Ready            True   Serving
        RolloutComplete  False  Progressing: Version 1.1.0 gets 25 % of the traffic.
      history
        12s ago  5% -> 25%  GuardsPassed: errors 0 of 412"
  `);
});

test('a version that arrived is shown as what serves, not as a candidate with none of the traffic', () => {
  const { candidate, stable, ...status } = shifting.status ?? {};
  const arrived = {
    ...status,
    stable: { ...stable, version: '1.1.0', revision: '77aa0' },
    candidate: { ...candidate, phase: 'Complete', weight: 100 },
    traffic: { desired: { stable: 10_000, candidate: 0 }, programmed: { stable: 10_000, candidate: 0 } },
  };
  const lines = renderObject({ ...shifting, status: arrived } as typeof shifting, NOON);
  expect(lines.slice(3, 5)).toEqual([
    '  stable     1.1.0, revision 77aa0, 2/2 ready',
    '  traffic    all of it goes to 1.1.0',
  ]);
  expect(lines.join('\n')).not.toMatch(/candidate|weight/);
});

test('the view that is redrawn shows how each interval lies to its limit, within 80 columns', () => {
  const lines = renderObject(shifting, NOON, { bars: true });
  const row = lines.findIndex((line) => line.startsWith('  errors'));
  expect(lines[row + 1]).toBe('      o============|=========================>');
  expect(lines.every((line) => line.length <= COLUMNS)).toBe(true);
});

test('a rollout that awaits approval shows what to type', () => {
  expect(renderObject(awaitingApproval, NOON)).toContain(
    '  awaits     approval by a person: kubectl slipway approve infs/flights',
  );
});

test('one that awaits two people shows who approved it already', () => {
  const lines = renderObject(awaitingTwo([]), NOON).join('\n');
  expect(lines).toContain('awaits     approval by 2 people: kubectl slipway approve infs/flights');
  const half = renderObject(awaitingTwo(['ada']), NOON).join('\n');
  expect(half).toContain('awaits     approval by 2 people (ada approved): kubectl slipway approve');
});

test('a rolled-back service shows what was rejected and the evidence', () => {
  expect(renderObject(rolledBack, NOON).join('\n')).toMatchInlineSnapshot(`
    "InferenceService demo/flights
      wants      flights 1.1.0
      url        http://flights.example.com/
      stable     1.0.0, revision 8f2c1, 2/2 ready
      conditions
        Ready            True   Serving
        Stalled          True   RolledBack: Version 1.1.0 was rolled back.
        RolloutComplete  False  RolledBack
      rejected
        1.1.0  77aa0  10s ago  GuardFailed: errors: 21 of 90 requests failed, at
                               least 9.31% at 99.9% confidence, over the limit of
                               1%."
  `);
});

test('a service that follows says what it follows, and a version its stage and who approved it', () => {
  const following = {
    ...shifting,
    spec: { ...shifting.spec, model: { name: 'flights', follow: 'Production' as const } },
  };
  expect(renderObject(following, NOON)).toContain('  wants      flights in Production, whichever came there last');
  const approvals = [{ by: 'ana', stage: 'Production' as const, digest: gated.spec.artifact.digest, at: '' }];
  const asking = { ...gated, spec: { ...gated.spec, stage: 'Production' as const, approvals } };
  const lines = renderObject({ ...asking, status: { ...asking.status, stage: 'Staging' } }, NOON);
  expect(lines).toContain('  stage      Staging, asked to be in Production');
  expect(lines).toContain('  approved   Production by ana');
});

test('a training run shows its progress', () => {
  expect(renderObject(training, NOON).join('\n')).toMatchInlineSnapshot(`
    "TrainingJob demo/flights-v1
      trains     flights 1.0.0
      phase      Running
      attempt    0 (0 restarts)
      time       30s so far
      progress   step 40/100, 40%, epoch 2, 45s left, loss=0.412
      pods       1 active, 1 ready, 0 failed
      conditions none yet: the operator has not seen this object"
  `);
});

test('a model version shows its gates with their intervals', () => {
  expect(renderObject(gated, NOON).join('\n')).toMatchInlineSnapshot(`
    "ModelVersion demo/flights-1.0.0
      model      flights 1.0.0
      artifact   pvc://models/flights/sha256-aaaa
      digest     sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
                 aaaa
      size       0.04 MB in 6 files
      made by    tj/flights-v1
      inputs     features FP32[-1, 14]
      outputs    probability FP32[-1, 1]
      served by  infs/flights
      GATE      VERDICT  VALUE   [LOW, HIGH]       LIMIT  N
      accuracy  Pass     0.8123  [0.8011, 0.8230]  0.75   4000
      conditions
        Ready  True  GatesPassed"
  `);
});

test.each([shifting, rolledBack, training, gated])('$kind fits 80 columns', (object) => {
  expect(renderObject(object, NOON).filter((line) => line.length > COLUMNS)).toEqual([]);
});

test('no text, however long its words, makes a line wider than the terminal', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), fc.string({ maxLength: 400 }), (a, b) => {
      const lines = [
        ...wrap(a, COLUMNS),
        ...field('label', a),
        ...table([
          ['NAME', b],
          ['x', a],
        ]),
      ];
      expect(Math.max(0, ...lines.map((line) => line.length))).toBeLessThanOrEqual(COLUMNS);
    }),
  );
});

test.each([
  [0, '0s'],
  [59.6, '1m'],
  [3725, '1h2m'],
  [90_000, '1d1h'],
])('%d seconds read %s', (seconds, want) => expect(span(seconds)).toBe(want));

test('colour is for terminals of people who have not refused it', () => {
  expect([
    wantsColour(true, undefined),
    wantsColour(true, ''),
    wantsColour(true, '1'),
    wantsColour(false, undefined),
  ]).toEqual([true, true, false, false]);
});

test('painting changes verdict words only', () => {
  expect(paint('errors Fail 3 Failures')).toBe('errors \u001b[31mFail\u001b[0m 3 Failures');
});
