import { REQUEST_HEADERS } from '@slipway/crds/contract';
import type { Order } from '../batching/scheduler.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { badRequest } from '../requestError.ts';
import { named, quoted } from './sentences.ts';
import { refuseSequence } from './unserved.ts';

/** Header fields (or gRPC metadata) by lower-case name. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `parameters` of a request: names to strings, numbers, booleans; bigint where a protocol has 64 bits. */
export type Parameters = Readonly<Record<string, unknown>>;

/**
 * What the caller wants beside its tensors. Reserved parameters: `timeout` (microseconds, 0 is none) and `priority`
 * (1 is the most urgent, 0 the middle); headers slipway-timeout-ms and slipway-priority say the same, the shorter time
 * and the parameter win. `now` is the server's monotonic clock, `longestMs` the server's own bound on a request.
 * Throws RequestError 400: an unknown output, an output named twice, a parameter that is no such number, a sequence.
 */
export function orderOf(
  parameters: Parameters | undefined,
  requestedOutputs: readonly string[] | undefined,
  model: ServedModel,
  now: number,
  headers?: RequestHeaders,
  longestMs: number = Number.POSITIVE_INFINITY,
): Order {
  return orderWith(outputsOf(requestedOutputs, model), parameters, now, headers, longestMs);
}

/** The same with outputs that were found right before. */
export function orderWith(
  outputs: readonly string[],
  parameters: Parameters | undefined,
  now: number,
  headers?: RequestHeaders,
  longestMs: number = Number.POSITIVE_INFINITY,
): Order {
  if (parameters === undefined && headers === undefined) return { outputs, deadline: now + longestMs };
  refuseSequence(parameters);
  const timeoutMs = Math.min(longestMs, timeoutOf(parameters), headerTimeout(headers));
  return { outputs, priority: priorityOf(parameters, headers), deadline: now + timeoutMs };
}

const ALL = new WeakMap<ServedModel['signature'], readonly string[]>();

/** Names of the outputs to answer, in that order; all of them when none is named. Throws RequestError 400. */
export function outputsOf(requested: readonly string[] | undefined, { signature }: ServedModel): readonly string[] {
  if (requested === undefined || requested.length === 0) {
    let all = ALL.get(signature);
    if (!all) {
      all = signature.outputs.map(({ name }) => name);
      ALL.set(signature, all);
    }
    return all;
  }
  const names = signature.outputs.map(({ name }) => name);
  const unknown = requested.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw badRequest(`There is no output ${quoted(unknown)}; the model gives ${named(names)}.`);
  const twice = requested.find((name, i) => requested.indexOf(name) < i);
  if (twice !== undefined) throw badRequest(`${quoted(twice)} stands twice in "outputs".`);
  return requested;
}

function timeoutOf(parameters: Parameters | undefined): number {
  const timeout = parameters?.['timeout'];
  if (timeout === undefined) return Number.POSITIVE_INFINITY;
  const microseconds = wholeNumber(timeout) ?? refuse('Parameter "timeout" must be a whole number of microseconds.');
  return microseconds === 0 ? Number.POSITIVE_INFINITY : microseconds / 1000;
}

function headerTimeout(headers: RequestHeaders | undefined): number {
  const text = headers?.[REQUEST_HEADERS.timeoutMs];
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const ms = Number(typeof text === 'string' && /^\d{1,12}(\.\d{1,9})?$/.test(text) ? text : Number.NaN);
  return ms > 0 ? ms : refuse(`Header ${REQUEST_HEADERS.timeoutMs} must be a number of milliseconds above 0.`);
}

function priorityOf(parameters: Parameters | undefined, headers: RequestHeaders | undefined): number {
  const priority = parameters?.['priority'];
  if (priority !== undefined) {
    return wholeNumber(priority) ?? refuse('Parameter "priority" must be a whole number, 1 for the most urgent.');
  }
  const text = headers?.[REQUEST_HEADERS.priority];
  if (text === undefined) return 0;
  const named = typeof text === 'string' ? wholeNumber(text) : undefined;
  return named ?? refuse(`Header ${REQUEST_HEADERS.priority} must be a whole number, 1 for the most urgent.`);
}

/** Triton's clients send these as numbers, as strings, or as 64-bit integers. */
function wholeNumber(value: unknown): number | undefined {
  const number =
    typeof value === 'bigint' || (typeof value === 'string' && /^\d{1,15}$/.test(value)) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function refuse(sentence: string): never {
  throw badRequest(sentence);
}
