import { answerHead } from '../blocks.ts';
import type { Method } from '../methods.ts';
import { Rpc, writable } from '../rpc.ts';
import { NO_MESSAGE, TWO_MESSAGES } from './modelInfer.ts';

/** What a method makes of its one message, both encoded. Throws (rejects) RequestError and Failure. */
export type Unary = (message: Buffer) => Uint8Array | Promise<Uint8Array>;

/** A call that asks no model: one message, one answer. */
export class UnaryCall extends Rpc {
  readonly #method: Unary;
  #answer: Promise<Uint8Array> | undefined;

  constructor(call: Parameters<Method['open']>, method: Unary) {
    super(...call);
    this.#method = method;
  }

  protected message(bytes: Buffer, start: number, end: number): void {
    if (this.#answer) throw TWO_MESSAGES;
    this.#answer = Promise.resolve(this.#method(bytes.subarray(start, end)));
    this.#answer.then(
      (answer) => this.finishWith(writable(answer), answerHead(this.identity)),
      (error) => this.fail(error),
    );
  }

  protected inputEnded(): void {
    if (!this.#answer) throw NO_MESSAGE;
  }

  protected override get owesMessage(): boolean {
    return this.#answer === undefined;
  }

  protected ended(): void {}
}
