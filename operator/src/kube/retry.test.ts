import { expect, test } from 'vitest';
import { ApiError, fromAnswer, isInvalid, unreachable } from './errors.ts';
import { retryDelayMs } from './retry.ts';

const reset = unreachable(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
const refused = unreachable(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
const status = (code: number, reason = 'Reason', retryAfterMs?: number): ApiError =>
  new ApiError(code, reason, '', retryAfterMs === undefined ? {} : { retryAfterMs });

const cases: Record<string, { error: ApiError; method: string; attempts?: number; want: number | undefined }> = {
  'a reset get goes again': { error: reset, method: 'GET', want: 100 },
  'a reset create does not': { error: reset, method: 'POST', want: undefined },
  'a create that was never sent goes again': { error: refused, method: 'POST', want: 100 },
  'an apply goes again after 503': { error: status(503), method: 'PATCH', want: 100 },
  'a create does not go again after 503': { error: status(503), method: 'POST', want: undefined },
  'a create goes again after 429': { error: status(429, 'TooManyRequests', 3_000), method: 'POST', want: 3_000 },
  'a short Retry-After does not undercut the backoff': {
    error: status(503, 'R', 1),
    method: 'GET',
    attempts: 4,
    want: 800,
  },
  'a conflict is final': { error: status(409, 'Conflict'), method: 'PATCH', want: undefined },
  'an object that does not fit its type is final': {
    error: fromAnswer(500, '{"code":500}'),
    method: 'PATCH',
    want: undefined,
  },
  'an internal error is not': { error: status(500, 'InternalError'), method: 'PATCH', want: 100 },
  'the sixth attempt is the last': { error: reset, method: 'GET', attempts: 6, want: undefined },
};
test.each(Object.entries(cases))('%s', (_, { error, method, attempts = 1, want }) => {
  expect(retryDelayMs(error, method, attempts, 1)).toBe(want);
});

test('an answer that is no Status keeps its first words', () => {
  const error = fromAnswer(502, '<html>Bad Gateway</html>');
  expect([error.status, error.reason, error.message]).toEqual([502, 'HTTP502', '502: <html>Bad Gateway</html>']);
  expect(isInvalid(error)).toBe(false);
});

test('the seconds a Status names count when there is no header', () => {
  const body = JSON.stringify({ code: 429, reason: 'TooManyRequests', details: { retryAfterSeconds: 4 } });
  expect(fromAnswer(429, body).retryAfterMs).toBe(4_000);
});
