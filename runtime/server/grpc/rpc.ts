import type { ModelIdentity } from '../models/servedModel.ts';
import { RequestError } from '../requestError.ts';
import { answerHead, faultBlock, faultTrailers, OK_TRAILERS } from './blocks.ts';
import type { RpcContext } from './dependencies.ts';
import type { RpcHead } from './head.ts';
import { bodyOffset } from './http2/outbox.ts';
import type { ServerStream, StreamUser } from './http2/stream.ts';
import { checkFlag, MessageAssembly, PREFIX_BYTES } from './messageAssembly.ts';
import { isWorthPacking, packed, tooLarge } from './packing.ts';
import { CODE, faultOf, type RpcFault } from './status.ts';
import { Unpacking } from './unpacking.ts';

export const SHUTTING_DOWN = new RequestError(503, 'The server is shutting down.');

/** A message that knows its size before it is written. */
export interface Writable {
  readonly size: number;
  write(into: Uint8Array, at: number): void;
}

export const writable = (bytes: Uint8Array): Writable => ({
  size: bytes.length,
  write: (into, at) => into.set(bytes, at),
});

/**
 * One call: takes messages off a stream and puts answers onto it. It ends in exactly one way: with a status, or gone with
 * its caller; whatever comes later changes nothing.
 */
export abstract class Rpc implements StreamUser {
  protected readonly context: RpcContext;
  protected readonly stream: ServerStream;
  protected readonly head: RpcHead;
  /** The peer's, where it is known. */
  protected readonly address: string | undefined;
  /** The message that the caller owes, by its number, and when that was first seen. */
  #owed = 0;
  #owedSince = 0;
  #assembly: MessageAssembly | undefined;
  /** There once a message was packed: what comes later waits for it. */
  #unpacking: Unpacking | undefined;
  #begun = false;
  #over = false;

  constructor(context: RpcContext, stream: ServerStream, head: RpcHead, address: string | undefined) {
    this.context = context;
    this.stream = stream;
    this.head = head;
    this.address = address;
    if (!stream.remoteEnded) this.#owedSince = context.elapsed();
  }

  protected get over(): boolean {
    return this.#over;
  }

  /** One message of the caller; bytes[start, end) is only good during the call. Throws what `fail` takes. */
  protected abstract message(bytes: Buffer, start: number, end: number): void;
  /** The caller has sent its last message. Throws what `fail` takes. */
  protected abstract inputEnded(): void;
  /** The call ended without a good answer: counts it, and gives up what is under way. */
  protected abstract ended(fault: RpcFault): void;
  /** Whose metadata stands on the answer. */
  protected get identity(): ModelIdentity | undefined {
    return this.context.identity;
  }

  data(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    if (this.#over) return;
    try {
      if (last && !this.#assembly && isOneMessage(bytes, start, end)) this.#takeWhole(bytes, start, end);
      else this.#collect(bytes, start, end, last);
    } catch (error) {
      this.fail(error);
    }
  }

  gone(): void {
    if (this.#end()) this.ended({ code: CODE.cancelled, error: new RequestError(499, 'The caller went away.') });
  }

  tick(now: number): void {
    const { bodyTimeoutMs } = this.context.limits;
    const owes = !this.stream.remoteEnded && !this.#assembly?.atGate;
    const partial = this.#assembly?.partial ?? 0;
    if (!owes || (partial === 0 && !this.owesMessage) || partial !== this.#owed) {
      this.#owed = partial;
      this.#owedSince = now;
    } else if (now - this.#owedSince > bodyTimeoutMs) {
      this.fail(new RequestError(408, `The request took longer than ${bodyTimeoutMs} ms to arrive.`));
    }
  }

  drain(): void {}

  abandon(): void {
    this.fail(SHUTTING_DOWN);
  }

  /** Whether the call is waiting for a message that must come. */
  protected get owesMessage(): boolean {
    return true;
  }

  /** Ends the call with what was thrown, unless it has ended. */
  fail(thrown: unknown): void {
    this.failWith(faultOf(thrown), thrown);
  }

  failWith(fault: RpcFault, cause?: unknown): void {
    if (!this.#end()) return;
    const { status, message } = fault.error;
    if (status >= 500 && status !== 503 && status !== 501) this.context.onFailure(message, cause);
    this.ended(fault);
    const trailers = this.#begun ? faultTrailers(fault) : faultBlock(fault, this.identity);
    this.stream.send(undefined, undefined, trailers);
  }

  /** The only answer of a call, in one piece where it may go at once. False: the call was over. */
  protected finishWith(message: Writable, head: Buffer): boolean {
    if (!this.#end()) return false;
    const { encoding } = this.head;
    if (encoding !== 'identity' && isWorthPacking(message.size, encoding)) {
      this.#sendPacked(message, OK_TRAILERS);
      return true;
    }
    const size = PREFIX_BYTES + message.size;
    const whole = this.stream.roomForWhole(head, size, OK_TRAILERS);
    if (whole) {
      writeMessage(message, whole, bodyOffset(head));
      this.stream.sendWhole(whole);
      return true;
    }
    const body = Buffer.allocUnsafe(size);
    writeMessage(message, body, 0);
    this.stream.send(head, body, OK_TRAILERS);
    return true;
  }

  /** Ends the call as another server ended it: `trailers` are all of its answer. */
  protected finishAs(trailers: Buffer): void {
    if (this.#end()) this.stream.send(undefined, undefined, trailers);
  }

  /** One of several answers. */
  protected sendMessage(message: Writable): void {
    if (this.#over) return;
    const body = Buffer.allocUnsafe(PREFIX_BYTES + message.size);
    writeMessage(message, body, 0);
    const head = this.#begun ? undefined : answerHead(this.identity);
    this.#begun = true;
    this.stream.send(head, body, undefined);
  }

  /** Ends a call of several answers well. */
  protected finish(): void {
    if (!this.#end()) return;
    this.stream.send(this.#begun ? undefined : answerHead(this.identity), undefined, OK_TRAILERS);
  }

  #takeWhole(bytes: Uint8Array, start: number, end: number): void {
    checkFlag(bytes[start] as number);
    const { maxMessageBytes } = this.context.reading;
    if (end - start - PREFIX_BYTES > maxMessageBytes) throw tooLarge(maxMessageBytes);
    if (bytes[start] === 1) {
      this.#unpack(Buffer.from(bytes.subarray(start + PREFIX_BYTES, end)), false);
      return void this.#inputEnds();
    }
    this.message(bytes as Buffer, start + PREFIX_BYTES, end);
    this.inputEnded();
  }

  #collect(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#assembly ??= new MessageAssembly(this.stream, this.context.reading, (...message) =>
      this.#takeAssembled(...message),
    );
    this.#assembly.push(bytes, start, end);
    if (!last || this.#over) return;
    if (this.#assembly.partial > 0) throw new RequestError(400, 'The call ends in the middle of a message.');
    this.#inputEnds();
  }

  #takeAssembled(memory: Buffer, length: number, isPacked: boolean, hasRoom: boolean): Promise<void> | undefined {
    if (isPacked) return this.#unpack(memory.subarray(0, length), hasRoom);
    if (this.#unpacking?.busy) return this.#unpacking.after(() => this.message(memory, 0, length));
    this.message(memory, 0, length);
    return undefined;
  }

  #inputEnds(): void {
    if (this.#unpacking?.busy) void this.#unpacking.after(() => this.inputEnded());
    else this.inputEnded();
  }

  #unpack(message: Buffer, hasRoom: boolean): Promise<void> | undefined {
    this.#unpacking ??= new Unpacking(
      this.context.reading,
      this.head.encoding,
      (bytes, start, end) => this.message(bytes, start, end),
      (error) => this.fail(error),
    );
    return this.#unpacking.take(message, hasRoom);
  }

  #sendPacked(message: Writable, trailers: Buffer): void {
    const encoding = this.head.encoding as 'gzip' | 'deflate';
    const plain = Buffer.allocUnsafe(message.size);
    message.write(plain, 0);
    const head = answerHead(this.identity, encoding);
    const send = (bytes: Buffer): void => {
      const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
      prefix[0] = 1;
      prefix.writeUInt32BE(bytes.length, 1);
      this.stream.send(head, Buffer.concat([prefix, bytes]), trailers);
    };
    const smaller = packed(plain, encoding);
    if (smaller instanceof Promise)
      smaller.then(send, (error) => this.context.onFailure('An answer was not packed.', error));
    else send(smaller);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#assembly?.dispose();
    this.#unpacking?.end();
    return true;
  }
}

function isOneMessage(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start - PREFIX_BYTES;
  return (
    length >= 0 &&
    bytes[start + 1] === length >>> 24 &&
    bytes[start + 2] === ((length >>> 16) & 255) &&
    bytes[start + 3] === ((length >>> 8) & 255) &&
    bytes[start + 4] === (length & 255)
  );
}

function writeMessage(message: Writable, into: Buffer, at: number): void {
  into[at] = 0;
  into.writeUInt32BE(message.size, at + 1);
  message.write(into, at + PREFIX_BYTES);
}
