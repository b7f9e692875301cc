import { expect, test } from 'vitest';
import { EngineError, type EngineErrorKind } from '../engine/engine.ts';
import { badRequest } from '../requestError.ts';
import { requestErrorOf } from './failure.ts';

test.each<[EngineErrorKind, number, number | undefined, Record<string, string>]>([
  ['ModelFailed', 500, undefined, {}],
  ['EngineLost', 500, undefined, {}],
  ['InvalidInput', 400, undefined, {}],
  ['Overloaded', 503, 1200, { 'retry-after': '2' }],
  ['TooLate', 503, 3, { 'retry-after': '1' }],
  ['Closing', 503, undefined, { 'retry-after': '1' }],
  ['Cancelled', 499, undefined, {}],
])('%s is a %i that says when to come again', (kind, status, retryAfterMs, headers) => {
  const error = requestErrorOf(new EngineError(kind, 'the reason', retryAfterMs));
  const said = kind === 'ModelFailed' ? 'The model failed on this request: the reason.' : 'the reason.';
  expect([error.status, error.message, error.headers]).toEqual([status, said, headers]);
});

test('a refusal stays what it is', () => {
  const refusal = badRequest('Send less.');
  expect(requestErrorOf(refusal)).toBe(refusal);
});

test('a fault of ours tells the caller nothing of our code', () => {
  const error = requestErrorOf(new TypeError('x is undefined'));
  expect([error.status, error.message]).toEqual([500, 'The server failed on this request.']);
});
