import { rateKey } from '../analysis/tally.ts';
import { againstLimit } from './againstLimit.ts';
import { parsePercent } from './percent.ts';
import { type Asked, holdsOnRequests, type Kind, WHERE_ASKED } from './question.ts';
import { batchedRate } from './tallyRate.ts';

const unusable = batchedRate(
  'answers',
  rateKey.invalid,
  ({ invalid }) => invalid,
  ({ ok, serverError }) => ok + serverError,
  {
    key: rateKey.copyInvalid,
    asked: ({ ok, serverError }) => ok + serverError,
    hits: ({ invalid }) => invalid,
  },
);

/**
 * Answers that hold a value no caller can use, of all that were made. A model server that refuses to send one counts it
 * as an error as well, so errors are among them.
 */
export const invalidOutputs: Kind<Asked<'invalidOutputs'>> = {
  questions: ({ max }) => [againstLimit({ rate: unusable, limit: parsePercent(max), text: max })],
  phases: WHERE_ASKED,
  holds: holdsOnRequests,
};
