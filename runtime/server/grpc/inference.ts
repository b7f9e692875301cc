import type { Order, Outcome, Submission } from '../batching/scheduler.ts';
import { EngineError } from '../engine/engine.ts';
import type { Answered } from '../evidence/modelEvidence.ts';
import { outcomeOf } from '../evidence/outcome.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { WANTED } from '../observe/observation.ts';
import { orderOf } from '../protocol/order.ts';
import { checkOutputs } from '../protocol/outputBound.ts';
import { countRefusal } from '../rest/refusal.ts';
import { copyOf, type TensorValue } from '../tensor.ts';
import type { RpcContext } from './dependencies.ts';
import { answersOf, findModel } from './findModel.ts';
import type { RpcHead } from './head.ts';
import { isTyped, openInputs } from './inputs.ts';
import { type InferRequest, readInferRequest } from './messages/inferRequest.ts';
import { InferResponse } from './messages/inferResponse.ts';
import { answeredOutputs, type Classes, classesOf } from './outputs.ts';
import type { RpcFault } from './status.ts';

/** Whoever asked. Told exactly once, after `start` has returned, unless it gave up before. */
export interface InferenceUser {
  /** Sends the answer. */
  answered(response: InferResponse, inference: Inference): void;
  failed(thrown: unknown, inference: Inference): void;
}

/** The length of a message has 32 bits. */
const LARGEST_MESSAGE = 0xffff_ffff;

const NOTHING: readonly TensorValue[] = [];

/** One question to a model, as a call of its own or as a message of a stream. Counted once as evidence, however it ends. */
export class Inference {
  readonly #context: RpcContext;
  readonly #head: RpcHead;
  readonly #user: InferenceUser;
  /** When its last byte was there. */
  readonly receivedAt: number;
  #request: InferRequest | undefined;
  #submission: Submission | undefined;
  #classes: Classes;
  #wanted = 0;
  #inputs = NOTHING;
  #rows = 1;
  #decodedAt = 0;
  #besideCopy = false;
  #over = false;
  model: ServedModel | undefined;

  constructor(context: RpcContext, head: RpcHead, user: InferenceUser) {
    this.#context = context;
    this.#head = head;
    this.#user = user;
    this.receivedAt = context.elapsed();
  }

  get id(): string {
    return this.#request?.id ?? '';
  }

  get over(): boolean {
    return this.#over;
  }

  /** Reads bytes[start, end) and has it run. Throws RequestError and EngineError; `ended` is then to be called. */
  start(bytes: Buffer, start: number, end: number): void {
    const request = readInferRequest(bytes, start, end);
    this.#request = request;
    const model = findModel(this.#context, request.model, request.version);
    this.model = model;
    this.#classes = classesOf(request.outputs, model);
    const order = this.#orderOf(request, model);
    const lease = openInputs(bytes, request, model, this.#context.limits.maxElements, order);
    this.#decodedAt = this.#context.elapsed();
    this.#wanted = model.observation.wants(this.#head.traceparent, this.#head.isShadow);
    if (this.#wanted & WANTED.inputs) this.#inputs = lease.inputs.map(copyOf);
    if (model.scheduler.batchable) this.#rows = lease.inputs[0]?.shape[0] ?? 1;
    this.#besideCopy = model.evidence.copying > 0;
    this.#submission = lease.submit(order, (error, outcome) => {
      this.#submission = undefined;
      if (this.#over) return;
      if (outcome) this.#answer(model, request, outcome);
      else this.#user.failed(error, this);
    });
  }

  #orderOf(request: InferRequest, model: ServedModel): Order {
    const names = request.outputs?.map(({ name }) => name);
    const longestMs = Math.min(this.#context.limits.requestTimeoutMs, this.#head.timeoutMs);
    return orderOf(request.parameters, names, model, this.receivedAt, this.#head.orderHeaders, longestMs);
  }

  #answer(model: ServedModel, request: InferRequest, outcome: Outcome): void {
    const encodeAt = this.#context.elapsed();
    let response: InferResponse;
    try {
      response = this.#responseOf(model, request, outcome);
    } catch (error) {
      return void this.#user.failed(error, this);
    }
    this.#over = true;
    this.#user.answered(response, this);
    this.#count(model, outcome, encodeAt);
  }

  #responseOf(model: ServedModel, request: InferRequest, outcome: Outcome): InferResponse {
    checkOutputs(outcome.outputs, this.#context.limits.maxElements);
    const outputs = answeredOutputs(outcome.outputs, this.#classes, model);
    const response = new InferResponse(answersOf(model).parts, request.id, outputs, isTyped(request));
    if (response.size <= LARGEST_MESSAGE) return response;
    throw new EngineError('ModelFailed', `the answer has ${response.size} bytes, more than a gRPC message can have`);
  }

  #count(model: ServedModel, outcome: Outcome, encodeAt: number): void {
    const elapsed = this.#context.elapsed();
    const now = this.#context.now();
    const answered: Answered = {
      outcome: 'ok',
      protocol: 'grpc',
      latencyMs: elapsed - this.receivedAt,
      decodeMs: this.#decodedAt - this.receivedAt,
      encodeMs: elapsed - encodeAt,
      queueMs: outcome.queueMs,
      computeMs: outcome.computeMs,
      rows: this.#rows,
      besideCopy: this.#besideCopy,
    };
    model.evidence.answered(answered, now);
    const id = this.#labelId();
    if (id !== undefined) model.evidence.remember(id, outcome.outputs, now);
    if (this.#wanted === 0) return;
    model.observation.take({ ...this.#watched(now, answered), inputs: this.#inputs, outcome });
  }

  /** Ends it without an answer, for `fault`: counts it, and gives up what is under way. */
  ended({ error }: RpcFault): void {
    if (this.#over) return;
    this.#over = true;
    this.#submission?.cancel();
    if (!this.model) return void countRefusal(this.#context.refusals, error);
    const latencyMs = this.#context.elapsed() - this.receivedAt;
    const answered: Answered = { outcome: outcomeOf(error.status), protocol: 'grpc', latencyMs, rows: this.#rows };
    const now = this.#context.now();
    this.model.evidence.answered(answered, now);
    const { status, message: sentence } = error;
    this.model.observation.failed({ ...this.#watched(now, answered), status, sentence });
  }

  #watched(now: number, answered: Answered) {
    return {
      wanted: this.#wanted,
      id: this.#labelId(),
      protocol: 'grpc',
      traceparent: this.#head.traceparent,
      startedAt: now - answered.latencyMs,
      answered,
    } as const;
  }

  #labelId(): string | undefined {
    return this.id === '' ? this.#head.requestId : this.id;
  }
}
