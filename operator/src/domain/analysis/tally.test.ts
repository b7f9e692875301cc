import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorCounts } from './designEffect.ts';
import { noRequests, plus, requestsOf, since } from './tally.ts';

describe('a tally', () => {
  const tally = fc.record({
    ok: fc.nat(1e6),
    clientError: fc.nat(1e6),
    serverError: fc.nat(1e6),
    shed: fc.nat(1e6),
    batchSeconds: fc.nat(1e4),
    failedSquaredOverServed: fc.nat(1e6),
    invalid: fc.nat(1e6),
    latency: fc.array(fc.nat(1e6), { minLength: 3, maxLength: 3 }),
    right: fc.nat(1e6),
    wrong: fc.nat(1e6),
    copies: fc.record({ ok: fc.nat(9), clientError: fc.nat(9), serverError: fc.nat(9), invalid: fc.nat(9) }),
    batches: fc.record({ wrong: fc.record({ count: fc.nat(1e4), squaredOverTotal: fc.nat(1e6) }) }),
  });

  test('since an earlier one is what was added', () => {
    fc.assert(
      fc.property(tally, tally, (before, added) => {
        expect(since(plus(before, added), before)).toEqual(added);
      }),
    );
  });

  test('is never negative, whatever a faulty pod reports', () => {
    fc.assert(
      fc.property(tally, tally, (a, b) => {
        expect(requestsOf(since(a, b))).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('counts a refusal under load as an error that the client saw', () => {
    expect(errorCounts({ ...noRequests, ok: 90, clientError: 5, serverError: 3, shed: 2 })).toEqual({
      hits: 5,
      total: 100,
    });
  });
});
