import { RequestError } from '../../requestError.ts';
import { Inference, type InferenceUser } from '../inference.ts';
import type { InferResponse } from '../messages/inferResponse.ts';
import { BYTES, field, varintSize, writeVarint } from '../messages/wire.ts';
import { Rpc, SHUTTING_DOWN, type Writable } from '../rpc.ts';
import { faultOf, type RpcFault } from '../status.ts';

/** Messages of a stream that wait for their answer, and bytes of answers that wait to be read. */
const MOST_TURNS = 4096;
const MOST_UNREAD = 16 * 1024 * 1024;
const TOO_SLOW = new RequestError(429, 'Read the answers of a stream before you send more: too many are waiting.');

/** The answer to one message, kept until those before it have gone out. */
interface Turn {
  readonly inference: Inference;
  answer: Writable | undefined;
}

/**
 * ModelStreamInfer: many questions, as many answers in the same order. What is wrong with one of them is said in its
 * answer, and the stream goes on.
 */
export class ModelStreamInferCall extends Rpc implements InferenceUser {
  readonly #turns: Turn[] = [];
  /** Bytes of answers that wait for those before them. */
  #held = 0;
  #admitted = false;
  #inputEnded = false;
  #leaving = false;

  protected message(bytes: Buffer, start: number, end: number): void {
    const inference = new Inference(this.context, this.head, this);
    const turn: Turn = { inference, answer: undefined };
    if (this.#turns.push(turn) > MOST_TURNS || this.#held + this.stream.backlog > MOST_UNREAD) throw TOO_SLOW;
    try {
      this.#admit();
      inference.start(bytes, start, end);
    } catch (error) {
      this.#refuse(turn, error);
    }
  }

  /** The call was let in with its first message; each other counts for the caller's rate like a call. */
  #admit(): void {
    const first = !this.#admitted;
    this.#admitted = true;
    const refused = first ? undefined : this.context.access?.admit(this.head.authorization, this.address);
    if (refused) throw refused;
  }

  protected inputEnded(): void {
    this.#inputEnded = true;
    this.#advance();
  }

  /** A stream may be silent for as long as it likes. */
  protected override get owesMessage(): boolean {
    return false;
  }

  answered(response: InferResponse, inference: Inference): void {
    this.#settle(inference, inStream(response));
  }

  failed(thrown: unknown, inference: Inference): void {
    const turn = this.#turns.find((waiting) => waiting.inference === inference);
    if (turn) this.#refuse(turn, thrown);
  }

  #refuse(turn: Turn, thrown: unknown): void {
    const fault = faultOf(thrown);
    const { status, message } = fault.error;
    if (status === 500) this.context.onFailure(message, thrown);
    turn.inference.ended(fault);
    this.#settle(turn.inference, failedInStream(message, turn.inference.id));
  }

  override tick(now: number): void {
    super.tick(now);
    const { requestTimeoutMs } = this.context.limits;
    const late = new RequestError(504, `The answer took longer than ${requestTimeoutMs} ms.`);
    for (const turn of [...this.#turns]) {
      if (!turn.answer && now - turn.inference.receivedAt >= requestTimeoutMs) this.#refuse(turn, late);
    }
  }

  /** Ends the stream when all that was asked is answered: a caller that asks on is told where it stands. */
  override drain(): void {
    this.#leaving = true;
    this.#advance();
  }

  #settle(inference: Inference, answer: Writable): void {
    const turn = this.#turns.find((waiting) => waiting.inference === inference);
    if (!turn) return;
    turn.answer = answer;
    this.#held += answer.size;
    this.#advance();
  }

  #advance(): void {
    while (this.#turns[0]?.answer) {
      const { size } = this.#turns[0].answer;
      this.#held -= size;
      this.sendMessage(this.#turns.shift()?.answer as Writable);
    }
    if (this.#turns.length > 0) return;
    if (this.#inputEnded) this.finish();
    else if (this.#leaving) this.fail(SHUTTING_DOWN);
  }

  protected ended(fault: RpcFault): void {
    for (const { inference } of this.#turns) inference.ended(fault);
    this.#turns.length = 0;
  }
}

const RESPONSE_TAG = 16 + BYTES;

/** ModelStreamInferResponse: error_message = 1, infer_response = 2. */
const inStream = (response: Writable): Writable => ({
  size: 1 + varintSize(response.size) + response.size,
  write(into, at) {
    into[at] = RESPONSE_TAG;
    response.write(into, writeVarint(into, at + 1, response.size));
  },
});

/** The id goes along, so that a caller knows which of its questions it was. */
function failedInStream(sentence: string, id: string): Writable {
  const bytes = Buffer.concat([field(1, sentence), field(2, id === '' ? '' : field(3, id))]);
  return { size: bytes.length, write: (into, at) => into.set(bytes, at) };
}
