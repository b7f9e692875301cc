import type { Lease, Order, Outcome } from '../batching/scheduler.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { badRequest } from '../requestError.ts';
import type { TensorValue } from '../tensor.ts';
import { AnswerWriter, type InferAnswer } from './inferAnswer.ts';
import { hasWide, type InferPlan, isObject, planOf, type Source, usesAllRegions } from './inferPlan.ts';
import { readRegion } from './json/region.ts';
import { type Skeleton, skeletonOf } from './json/skeleton.ts';
import { parseJson, readValues } from './json/values.ts';
import { orderWith, type RequestHeaders } from './order.ts';
import type { RegionReader } from './parser/regionReader.ts';
import { planOfRaw } from './rawRequest.ts';
import { readRaw, textOf } from './rawTensor.ts';
import { inferRows } from './rows/infer.ts';
import { MAX_ELEMENTS } from './tensorHeader.ts';

/** What the server knows of a request beside its body. */
export interface InferContext {
  /** Milliseconds of the server's monotonic clock at the last byte of the body. */
  readonly now: number;
  readonly headers?: RequestHeaders;
  /** Of the serving settings. */
  readonly limits?: { readonly maxElements: number; readonly requestTimeoutMs: number };
  /** Who reads the long lists of large bodies; absent: they are read here. */
  readonly reader?: RegionReader;
}

/**
 * A request that was read, found right, and lies in its lease. The caller calls exactly one of
 * `lease.submit(order, …)` and `lease.release()`, and `answer` with the outcome.
 */
export interface Pending {
  readonly lease: Lease;
  readonly order: Order;
  readonly id: string | undefined;
  /** Tells the model's evidence of values that are not finite. Throws EngineError ModelFailed where the settings refuse them. */
  answer(outcome: Outcome): InferAnswer;
}

/**
 * Reads the body of POST …/infer: JSON, JSON with binary tensors, one raw tensor (`headerLength` 0), or rows by feature
 * name. `headerLength` is the number in inference-header-content-length. A promise only where the body is so large that
 * another thread reads it. Throws (rejects) RequestError, EngineError Overloaded or Closing; then nothing stays leased.
 */
export function inferJson(
  body: Buffer,
  headerLength: number | undefined,
  model: ServedModel,
  context: InferContext,
): Pending | Promise<Pending> {
  if (headerLength === 0) return inferRaw(body, model, context);
  const length = headerLength ?? body.length;
  checkHeaderLength(length, body);
  const skeleton = skeletonOf(body, length);
  const known = skeleton && planOfSkeleton(skeleton, model, context);
  if (known) return start(body, length, known, model, context, skeleton);
  const json = parseJson(body.subarray(0, length), hasWide(model));
  if (isObject(json) && json['rows'] !== undefined && json['inputs'] === undefined) {
    if (length < body.length) throw badRequest('A request of rows is JSON alone; no bytes may follow it.');
    return inferRows(json, model, context);
  }
  const plan = planOf(json, model, maxElements(context), undefined);
  return start(body, length, { plan, writer: new AnswerWriter(model, plan) }, model, context, undefined);
}

interface Known {
  readonly plan: InferPlan;
  readonly writer: AnswerWriter;
}

/** Bytes from which on a list is read elsewhere: some 0.1 ms, what the way there and back costs. */
const LARGE_BODY = 100_000;

/** Room for the texts of some hundred different callers; one that never repeats itself costs no memory. */
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 4096;
const KNOWN = new WeakMap<ServedModel, Map<string, Known>>();

const maxElements = ({ limits }: InferContext): number => limits?.maxElements ?? MAX_ELEMENTS;

function checkHeaderLength(length: number, body: Buffer): void {
  if (Number.isSafeInteger(length) && length > 0 && length <= body.length) return;
  if (length === 0) throw badRequest('The body is empty; send a JSON object with "inputs".');
  throw badRequest(`Inference-Header-Content-Length is ${length}, the body has ${body.length} bytes.`);
}

/** Undefined where the text must be read whole: it is no JSON, holds no list of ours, or the same key twice. */
function planOfSkeleton(skeleton: Skeleton, model: ServedModel, context: InferContext): Known | undefined {
  const { text, starts } = skeleton;
  let known = KNOWN.get(model);
  if (!known) {
    known = new Map();
    KNOWN.set(model, known);
  }
  const found = known.get(text);
  if (found) return found;
  const json = parsed(text);
  if (!isObject(json) || !Array.isArray(json['inputs'])) return undefined;
  const plan = planOf(json, model, maxElements(context), starts.length);
  if (!usesAllRegions(plan, starts.length)) return undefined;
  const made = { plan, writer: new AnswerWriter(model, plan) };
  if (text.length <= LONGEST_KNOWN) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, made);
  }
  return made;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inferRaw(body: Buffer, model: ServedModel, context: InferContext): Pending | Promise<Pending> {
  const plan = planOfRaw(body.length, model, maxElements(context));
  return start(body, 0, { plan, writer: new AnswerWriter(model, plan) }, model, context, undefined);
}

/** Leases room and fills it. Whatever is thrown (rejected), nothing stays leased. */
function start(
  body: Buffer,
  headerLength: number,
  { plan, writer }: Known,
  model: ServedModel,
  { now, headers, limits, reader }: InferContext,
  skeleton: Skeleton | undefined,
): Pending | Promise<Pending> {
  checkSizes(plan, body.length, body.length - headerLength);
  const order = orderWith(plan.outputs, plan.parameters, now, headers, limits?.requestTimeoutMs);
  const lease = model.scheduler.lease(plan.shapes, order);
  const pending = new TensorPending(lease, order, idOf(plan, skeleton), writer);
  const elsewhere: Promise<void>[] | undefined = reader && body.length >= LARGE_BODY ? [] : undefined;
  try {
    for (let i = 0; i < plan.sources.length; i++) {
      const into = lease.inputs[plan.positions[i] as number] as TensorValue;
      const source = plan.sources[i] as Source;
      if (source.kind === 'region')
        fillRegion(into, source.region, body, skeleton as Skeleton, elsewhere && reader, elsewhere);
      else fill(into, source, body, headerLength);
    }
  } catch (error) {
    if (elsewhere === undefined || elsewhere.length === 0) lease.release();
    else void Promise.allSettled(elsewhere).then(() => lease.release());
    throw error;
  }
  return elsewhere === undefined || elsewhere.length === 0 ? pending : filled(pending, elsewhere);
}

/** Where the text was cut, the plan has the number of the id. */
const idOf = ({ id }: InferPlan, skeleton: Skeleton | undefined): string | undefined =>
  id === undefined || skeleton === undefined ? id : skeleton.ids[Number(id)];

/** The room goes back when nobody writes to it any more, so not at the first of several faults. */
async function filled(pending: Pending, elsewhere: readonly Promise<void>[]): Promise<Pending> {
  const fault = (await Promise.allSettled(elsewhere)).find(({ status }) => status === 'rejected');
  if (fault === undefined) return pending;
  pending.lease.release();
  throw (fault as PromiseRejectedResult).reason;
}

function checkSizes(plan: InferPlan, bodyBytes: number, binaryBytes: number): void {
  if (plan.binaryBytes !== binaryBytes) {
    throw badRequest(`The tensors need ${plan.binaryBytes} bytes after the JSON object, ${binaryBytes} follow it.`);
  }
  if (plan.largest > bodyBytes) {
    throw badRequest(
      `The shapes mean ${plan.largest} elements or rows, more than a body of ${bodyBytes} bytes can hold.`,
    );
  }
}

function fillRegion(
  into: TensorValue,
  region: number,
  body: Buffer,
  { starts, stops }: Skeleton,
  reader: RegionReader | undefined,
  elsewhere: Promise<void>[] | undefined,
): void {
  const start = starts[region] as number;
  const stop = stops[region] as number;
  if (reader && stop - start >= LARGE_BODY && reader.reaches(into))
    elsewhere?.push(reader.read(body, start, stop, into));
  else readRegion(body, start, stop, into);
}

function fill(
  into: TensorValue,
  source: Exclude<Source, { kind: 'region' }>,
  body: Buffer,
  headerLength: number,
): void {
  if (source.kind === 'values') {
    readValues(source.values, into);
  } else {
    const at = headerLength + source.at;
    const bytes = body.subarray(at, at + source.size);
    if (source.kind === 'binary') readRaw(bytes, into);
    else (into.elements as string[])[0] = textOf(bytes, into.name, 0);
  }
}

class TensorPending implements Pending {
  readonly lease: Lease;
  readonly order: Order;
  readonly id: string | undefined;
  readonly #writer: AnswerWriter;

  constructor(lease: Lease, order: Order, id: string | undefined, writer: AnswerWriter) {
    this.lease = lease;
    this.order = order;
    this.id = id;
    this.#writer = writer;
  }

  answer(outcome: Outcome): InferAnswer {
    return this.#writer.write(outcome.outputs, this.id);
  }
}
