import type { Duplex } from 'node:stream';
import type { ModelIdentity, ServedModel } from '../models/servedModel.ts';
import type { InferContext, Pending } from '../protocol/infer.ts';
import { RequestError } from '../requestError.ts';
import type { Listed, Roster } from '../roster.ts';
import type { RestDependencies } from './dependencies.ts';
import type { Exchange } from './exchange.ts';
import { type BodyRules, type BodyTaker, Reading } from './reading.ts';
import { countRefusal } from './refusal.ts';
import { type Answer, errorAnswer, type FlatHeaders, identityHeaders, packedAnswer, packingOf } from './wire.ts';

/** What a protocol makes of the body of a question to a model. `headerLength`: bytes of JSON before binary tensors. */
export type ReadInput = (
  body: Buffer,
  headerLength: number | undefined,
  model: ServedModel,
  context: InferContext,
) => Pending | Promise<Pending>;

export interface Readers {
  readonly infer: ReadInput;
  readonly predict: ReadInput;
}

/** What all calls of one port share. */
export interface CallContext extends RestDependencies {
  readonly readers: Readers;
  readonly bodies: BodyRules;
  /** Calls that have arrived and are not answered yet. */
  readonly open: Roster<Call>;
  /** Connections whose caller has its answer and still owes the rest of a body. */
  readonly unread: WeakSet<Duplex>;
}

/**
 * One request with a body, from its head to its answer. It ends in exactly one way: answered, failed, or gone with its
 * caller; whatever comes later changes nothing.
 */
export abstract class Call implements BodyTaker, Listed {
  place = -1;
  protected readonly context: CallContext;
  readonly exchange: Exchange;
  readonly reading: Reading;
  /** When the last byte of the body was there; undefined before. */
  protected receivedAt: number | undefined;
  #over = false;
  #broken = false;

  constructor(context: CallContext, exchange: Exchange) {
    this.context = context;
    this.exchange = exchange;
    this.reading = new Reading(exchange, context.bodies, this);
    context.open.add(this);
    exchange.onClose(() => this.#closed());
  }

  protected get over(): boolean {
    return this.#over;
  }

  /** Reads the body. `ask` is called when it has its turn, where the caller waits for that (100 Continue). */
  start(ask?: () => void): void {
    this.reading.start(ask);
  }

  received(body: Buffer): void {
    this.receivedAt = this.context.elapsed();
    this.answerTo(body);
  }

  refused(fault: RequestError): void {
    this.fail(fault);
  }

  /** Ends the call with an error, unless it has ended. */
  fail(fault: RequestError, cause?: unknown): void {
    if (!this.#end()) return;
    if (fault.status >= 500 && fault.status !== 503) this.context.onFailure(fault.message, cause);
    if (this.receivedAt === undefined) countRefusal(this.context.refusals, fault);
    this.ended(fault.status, fault.message);
    this.#sendError(fault);
  }

  /** Ends a call of which no further byte will be understood. */
  breakOff(fault: RequestError): void {
    this.#broken = true;
    this.fail(fault);
  }

  /** Ends a call that has waited too long for its answer. */
  failIfOverdue(): void {
    if (this.isOverdue) this.fail(this.overdue());
  }

  protected get isOverdue(): boolean {
    const { limits, elapsed } = this.context;
    return this.receivedAt !== undefined && elapsed() - this.receivedAt >= limits.requestTimeoutMs;
  }

  protected overdue(): RequestError {
    return new RequestError(504, `The answer took longer than ${this.context.limits.requestTimeoutMs} ms.`);
  }

  /** Called with the whole body, once. Must not throw. */
  protected abstract answerTo(body: Buffer): void;
  /** The model whose headers stand on the answer. */
  protected abstract get identity(): ModelIdentity | undefined;
  /** Called once when the call ends without a good answer; status 499: the caller is gone. */
  protected abstract ended(status: number, sentence: string): void;

  /** Marks the call as over. False: it was. */
  protected finish(): boolean {
    return this.#end();
  }

  protected send(answer: Answer): void {
    const packing = packingOf(this.exchange.headers, answer);
    if (packing === undefined) return void this.#sendNow(answer);
    packedAnswer(answer, packing).then(
      (smaller) => this.#sendNow(smaller),
      () => this.#sendNow(answer),
    );
  }

  #sendNow(answer: Answer): void {
    if (this.exchange.isGone) return;
    this.exchange.send(answer, this.#headers(), this.isLast);
  }

  #sendError(fault: RequestError): void {
    const rest = this.#broken ? 0 : this.reading.unread;
    this.exchange.sendEarly(errorAnswer(fault), this.#headers(), rest);
  }

  /** Whether the connection is to be closed with the answer. */
  protected get isLast(): boolean {
    return this.context.phase() === 'Draining';
  }

  #headers(): FlatHeaders {
    return identityHeaders(this.identity);
  }

  #closed(): void {
    if (this.#end()) this.ended(499, 'The caller went away.');
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.context.open.delete(this);
    this.reading.abandon();
    return true;
  }
}
