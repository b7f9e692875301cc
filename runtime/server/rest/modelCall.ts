import type { IncomingHttpHeaders } from 'node:http';
import { REQUEST_HEADERS } from '@slipway/crds/contract';
import type { Outcome, Submission } from '../batching/scheduler.ts';
import { EngineError } from '../engine/engine.ts';
import { asCopiesSee, isSecondOpinion } from '../evidence/copyEvidence.ts';
import type { Answered } from '../evidence/modelEvidence.ts';
import { outcomeOf } from '../evidence/outcome.ts';
import type { ModelIdentity, ServedModel } from '../models/servedModel.ts';
import { WANTED } from '../observe/observation.ts';
import { requestErrorOf } from '../protocol/failure.ts';
import type { InferContext, Pending } from '../protocol/infer.ts';
import { checkOutputs } from '../protocol/outputBound.ts';
import { badRequest, type RequestError } from '../requestError.ts';
import { copyOf, type TensorValue } from '../tensor.ts';
import { Call, type CallContext } from './call.ts';
import type { Exchange } from './exchange.ts';
import type { Route } from './routes.ts';
import type { Answer, FlatHeaders } from './wire.ts';

const HEADER_LENGTH = 'inference-header-content-length';
const JSON_TYPE: FlatHeaders = ['content-type', 'application/json'];
const NOTHING: readonly TensorValue[] = [];

/** A question to a model: counted once as evidence, however it ends. */
export class ModelCall extends Call {
  readonly #route: Route;
  #model: ServedModel;
  #pending: Pending | undefined;
  #submission: Submission | undefined;
  #wanted = 0;
  #inputs = NOTHING;
  #rows = 1;
  #decodedAt = 0;
  /** A copy of a live request that a guard in doubt asked for. */
  readonly #isCopy: boolean;
  #besideCopy = false;

  constructor(context: CallContext, exchange: Exchange, route: Route, model: ServedModel) {
    super(context, exchange);
    this.#route = route;
    this.#model = model;
    this.#isCopy = isSecondOpinion(exchange.headers, context.admitsCopy);
  }

  /** The model as this call counts in it. */
  get #counted(): ServedModel {
    return this.#isCopy ? asCopiesSee(this.#model) : this.#model;
  }

  protected get identity(): ModelIdentity | undefined {
    return this.#model.identity;
  }

  /** Finds the model anew: the body may have taken long, and a newer version may have taken the old one's place. */
  protected answerTo(body: Buffer): void {
    const { model, version } = this.#route;
    this.#model = this.context.repository.find(model, version) ?? this.#model;
    try {
      const pending = this.#read(body);
      if (!(pending instanceof Promise)) this.#submit(pending);
      else pending.then((read) => this.#submit(read)).catch((error) => this.#failWith(error));
    } catch (error) {
      if (this.#isSwapped(error)) this.answerTo(body);
      else this.#failWith(error);
    }
  }

  /** Whether the model was closed just now, because another version took its place. */
  #isSwapped(error: unknown): boolean {
    const { model, version } = this.#route;
    if (!(error instanceof EngineError) || error.kind !== 'Closing') return false;
    const current = this.context.repository.find(model, version);
    return current !== undefined && current !== this.#model;
  }

  #read(body: Buffer): Pending | Promise<Pending> {
    const { readers } = this.context;
    const read = this.#route.name === 'predict' ? readers.predict : readers.infer;
    return read(body, headerLengthOf(this.exchange.headers), this.#counted, this.#inferContext());
  }

  #inferContext(): InferContext {
    const { limits, reader } = this.context;
    const { headers } = this.exchange;
    const now = this.receivedAt as number;
    return reader ? { now, headers, limits, reader } : { now, headers, limits };
  }

  #submit(pending: Pending): void {
    const { lease, order } = pending;
    if (this.over) return void lease.release();
    this.#pending = pending;
    this.#decodedAt = this.context.elapsed();
    this.#observe(lease.inputs);
    if (this.#model.scheduler.batchable) this.#rows = lease.inputs[0]?.shape[0] ?? 1;
    const { evidence } = this.#model;
    this.#besideCopy = evidence.copying > 0;
    if (this.#isCopy) evidence.copying += 1;
    this.#submission = lease.submit(this.#isCopy ? { ...order, yields: true } : order, (error, outcome) => {
      if (this.#isCopy) evidence.copying -= 1;
      if (this.over) return;
      if (outcome) this.#answer(pending, outcome);
      else this.#failWith(error);
    });
  }

  /** Inputs are copied before they are submitted, after which their room is used again, and only for those who ask. */
  #observe(inputs: readonly TensorValue[]): void {
    const { headers } = this.exchange;
    const isCopy = headers[REQUEST_HEADERS.shadow] !== undefined;
    this.#wanted = this.#model.observation.wants(traceparentOf(headers), isCopy);
    if (this.#wanted & WANTED.inputs) this.#inputs = inputs.map(copyOf);
  }

  #answer(pending: Pending, outcome: Outcome): void {
    const startedAt = this.context.elapsed();
    let answer: Answer;
    try {
      checkOutputs(outcome.outputs, this.context.limits.maxElements);
      const { body, headerLength } = pending.answer(outcome);
      answer = { status: 200, body, headers: answerHeaders(headerLength) };
    } catch (error) {
      return void this.#failWith(error);
    }
    this.finish();
    this.#submission = undefined;
    this.send(answer);
    this.#count(pending, outcome, startedAt);
  }

  #count(pending: Pending, outcome: Outcome, encodeAt: number): void {
    const { evidence, observation } = this.#counted;
    const elapsed = this.context.elapsed();
    const receivedAt = this.receivedAt as number;
    const now = this.context.now();
    const answered: Answered = {
      outcome: 'ok',
      protocol: 'rest',
      latencyMs: elapsed - receivedAt,
      decodeMs: this.#decodedAt - receivedAt,
      encodeMs: elapsed - encodeAt,
      queueMs: outcome.queueMs,
      computeMs: outcome.computeMs,
      rows: this.#rows,
      besideCopy: this.#besideCopy,
    };
    evidence.answered(answered, now);
    const id = pending.id ?? idOf(this.exchange.headers);
    if (id !== undefined) evidence.remember(id, outcome.outputs, now);
    if (this.#wanted === 0) return;
    const { traceparent, ...watched } = this.#watched(now, answered);
    observation.take({ ...watched, traceparent, inputs: this.#inputs, outcome });
  }

  #watched(now: number, answered: Answered) {
    return {
      wanted: this.#wanted,
      id: this.#pending?.id ?? idOf(this.exchange.headers),
      protocol: 'rest',
      traceparent: traceparentOf(this.exchange.headers),
      startedAt: now - answered.latencyMs,
      answered,
    } as const;
  }

  protected ended(status: number, sentence: string): void {
    this.#submission?.cancel();
    const { elapsed, now } = this.context;
    const latencyMs = this.receivedAt === undefined ? 0 : elapsed() - this.receivedAt;
    const answered: Answered = {
      outcome: outcomeOf(status),
      protocol: 'rest',
      latencyMs,
      rows: this.#rows,
      besideCopy: this.#besideCopy,
    };
    const moment = now();
    this.#counted.evidence.answered(answered, moment);
    this.#model.observation.failed({ ...this.#watched(moment, answered), status, sentence });
  }

  #failWith(error: unknown): void {
    this.#submission = undefined;
    this.fail(this.#faultOf(error), error);
  }

  /** The server's own bound is a gateway's timeout; a deadline of the caller's that can't be met is a refusal. */
  #faultOf(error: unknown): RequestError {
    if (error instanceof EngineError && error.kind === 'TooLate' && this.isOverdue) return this.overdue();
    return requestErrorOf(error);
  }
}

const answerHeaders = (headerLength: number | undefined): FlatHeaders =>
  headerLength === undefined
    ? JSON_TYPE
    : ['content-type', 'application/octet-stream', HEADER_LENGTH, String(headerLength)];

/** Bytes of the JSON in front of binary tensors. Throws RequestError 400. */
function headerLengthOf(headers: IncomingHttpHeaders): number | undefined {
  const text = headers[HEADER_LENGTH];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(`Header ${HEADER_LENGTH} must be the number of bytes of the JSON part, not "${text}".`);
}

const idOf = (headers: IncomingHttpHeaders): string | undefined => oneOf(headers[REQUEST_HEADERS.requestId]);

const traceparentOf = (headers: IncomingHttpHeaders): string | undefined => oneOf(headers[REQUEST_HEADERS.traceparent]);

const oneOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.[0];
