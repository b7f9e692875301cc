import { errorCounts } from '../analysis/designEffect.ts';
import { rateKey, requestsOf } from '../analysis/tally.ts';
import { againstLimit } from './againstLimit.ts';
import { againstStable } from './againstStable.ts';
import { parsePercent } from './percent.ts';
import { type Asked, holdsOnRequests, type Kind, WHERE_ASKED } from './question.ts';
import type { TallyRate } from './tallyRate.ts';

const failed: TallyRate = {
  what: 'requests',
  asked: requestsOf,
  hits: ({ serverError, shed }) => serverError + shed,
  counts: errorCounts,
  batched: ({ ok, clientError, serverError, batchSeconds, failedSquaredOverServed }) => ({
    hits: serverError,
    total: ok + clientError + serverError,
    batches: { count: batchSeconds, squaredOverTotal: failedSquaredOverServed },
  }),
  copied: {
    key: rateKey.copyErrors,
    asked: ({ ok, clientError, serverError }) => ok + clientError + serverError,
    hits: ({ serverError }) => serverError,
  },
};

/** Requests that failed in the candidate, a refusal under load included, of all it got. */
export const errors: Kind<Asked<'errors'>> = {
  questions: ({ max, worseBy }) => [
    ...(max === undefined ? [] : [againstLimit({ rate: failed, limit: parsePercent(max), text: max })]),
    ...(worseBy === undefined ? [] : [againstStable(failed, worseBy)]),
  ],
  phases: WHERE_ASKED,
  holds: holdsOnRequests,
};
