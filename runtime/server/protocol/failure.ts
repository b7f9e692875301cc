import { EngineError, type EngineErrorKind } from '../engine/engine.ts';
import { RequestError } from '../requestError.ts';

/** HTTP status of each way in which the engine's side refuses or fails. 499 has nobody to read it: it is for counting. */
const STATUS: Readonly<Record<EngineErrorKind, number>> = {
  ModelFailed: 500,
  EngineLost: 500,
  InvalidInput: 400,
  Overloaded: 503,
  TooLate: 503,
  Cancelled: 499,
  Closing: 503,
};

const SOON_MS = 1000;

/** What a caller is told about anything that was thrown on the way to its answer. Bugs of ours keep their text to the log. */
export function requestErrorOf(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (!(error instanceof EngineError)) return new RequestError(500, 'The server failed on this request.');
  const status = STATUS[error.kind];
  const said = error.kind === 'ModelFailed' ? `The model failed on this request: ${error.message}` : error.message;
  return new RequestError(status, sentence(said), status === 503 ? retryAfter(error.retryAfterMs) : {});
}

/** Whole seconds, as RFC 9110 wants them; a caller told 0 would come back into the same full queue. */
const retryAfter = (ms = SOON_MS): Readonly<Record<string, string>> => ({
  'retry-after': String(Math.max(1, Math.ceil(ms / 1000))),
});

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
