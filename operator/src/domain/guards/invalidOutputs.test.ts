import { expect, test } from 'vitest';
import { seen, served, tally, verdictIn } from './builders.ts';

const guards = [{ name: 'invalid', invalidOutputs: { max: '0.1%' } }];
const stable = seen(served(5000));

test.each([
  ['answers without a NaN pass', tally({ ok: 20_000 }), 'Pass'],
  ['one NaN in a hundred answers is no verdict', tally({ ok: 100, invalid: 1 }), 'NeedMore'],
  ['a tenth of two hundred answers with a NaN fails', tally({ ok: 200, invalid: 20 }), 'Fail'],
  [
    'NaN that the server refuses to send, and counts as errors, fails too',
    tally({ serverError: 20, ok: 180, invalid: 20 }),
    'Fail',
  ],
  ['errors of another kind are not its question', tally({ serverError: 500, ok: 20_000 }), 'Pass'],
  [
    'more NaN than answers, as counters read a moment apart may say, are all of them',
    tally({ ok: 40, invalid: 41 }),
    'Fail',
  ],
  ['no answer leaves it blind', tally({ clientError: 10 }), 'Blind'],
])('%s', (_sentence, counts, verdict) =>
  expect(verdictIn({ guards, candidate: seen(counts), stable }).verdict).toBe(verdict),
);

test('is shown as a share of answers', () => {
  expect(verdictIn({ guards, candidate: seen(tally({ ok: 200, invalid: 20 })), stable })).toMatchObject({
    kind: 'invalidOutputs',
    rate: '10%',
    limit: '0.1%',
    n: 200,
  });
});
