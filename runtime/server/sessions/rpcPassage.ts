import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { REQUEST_HEADERS } from '@slipway/crds/contract';
import { CONNECT_MS } from './passage.ts';

/** A call of gRPC with one message, on its way to the other arm. */
export interface RpcQuestion {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** With its prefix of five bytes, not packed. */
  readonly message: Buffer;
}

/** Metadata of an answer: names and values. */
export type RpcMetadata = readonly (readonly [name: string, value: string])[];

/** The other arm's answer. */
export interface RpcAnswer {
  readonly head: RpcMetadata;
  /** One message without its prefix; undefined: a status alone. */
  readonly message: Buffer | undefined;
  /** With the status of the call. */
  readonly trailers: RpcMetadata;
}

/** Called in exactly one way, once; in none after `abort`. */
export interface RpcAnswerTaker {
  answered(answer: RpcAnswer): void;
  /** No whole answer: the call may be answered elsewhere. `slow`: because no connection came about in time. */
  failed(slow: boolean): void;
}

export interface RpcPassage {
  /** The caller is gone or has its answer. */
  abort(): void;
}

/** Each ends at another pod of the Service behind the address, which spreads connections and not calls. */
const CONNECTIONS = 4;
/** Then another takes its place, for the pods of then. */
const LIFE_MS = 30_000;
const PREFIX_BYTES = 5;
const NGHTTP2_CANCEL = 8;

/** Of the connection, and of the way the message was packed as it came. */
const LEFT_OUT = new Set(['te', 'content-type', 'content-length', 'host', 'grpc-encoding', 'grpc-accept-encoding']);

interface Connection {
  readonly session: ClientHttp2Session;
  readonly origin: string;
  readonly openedAt: number;
  /** It was given up before it came about. */
  slow: boolean;
}

/** Calls that are brought to the gRPC port of the other arm. */
export class RpcPassages {
  readonly #now: () => number;
  readonly #port: number;
  readonly #connections: (Connection | undefined)[] = new Array(CONNECTIONS).fill(undefined);
  #turn = 0;

  constructor(now: () => number, port: number) {
    this.#now = now;
    this.#port = port;
  }

  /** `rest`: where the other arm takes REST requests; the same host has its gRPC port. */
  ask(rest: URL, order: string, question: RpcQuestion, taker: RpcAnswerTaker): RpcPassage {
    const connection = this.#connection(`http://${rest.hostname}:${this.#port}`);
    return new Asked(connection, order, question, taker);
  }

  close(): void {
    for (const connection of this.#connections) connection?.session.destroy();
    this.#connections.fill(undefined);
  }

  #connection(origin: string): Connection {
    this.#turn = (this.#turn + 1) % CONNECTIONS;
    const known = this.#connections[this.#turn];
    if (known !== undefined && this.#isGood(known, origin)) return known;
    known?.session.close();
    // Loaded late: a server without users to keep never needs it.
    const session = process.getBuiltinModule('node:http2').connect(origin);
    const connection = { session, origin, openedAt: this.#now(), slow: false };
    const timer = setTimeout(() => {
      connection.slow = true;
      session.destroy();
    }, CONNECT_MS);
    session.on('error', () => undefined); // each call of it is told on its own stream
    session.on('connect', () => clearTimeout(timer)).on('close', () => clearTimeout(timer));
    session.unref();
    this.#connections[this.#turn] = connection;
    return connection;
  }

  #isGood({ session, origin, openedAt }: Connection, wanted: string): boolean {
    return origin === wanted && !session.closed && !session.destroyed && this.#now() - openedAt < LIFE_MS;
  }
}

class Asked implements RpcPassage {
  readonly #connection: Connection;
  readonly #stream: ClientHttp2Stream;
  readonly #taker: RpcAnswerTaker;
  readonly #chunks: Buffer[] = [];
  #head: RpcMetadata | undefined;
  #trailers: RpcMetadata | undefined;
  #over = false;

  constructor(connection: Connection, order: string, question: RpcQuestion, taker: RpcAnswerTaker) {
    this.#connection = connection;
    this.#taker = taker;
    const stream = connection.session.request(onward(question, order));
    this.#stream = stream;
    stream.on('response', (headers) => {
      this.#head = metadataOf(headers);
    });
    stream.on('trailers', (headers) => {
      this.#trailers = metadataOf(headers);
    });
    stream.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    stream.on('error', () => this.#fail());
    stream.on('end', () => this.#bring());
    stream.on('close', () => this.#fail());
    stream.end(question.message);
  }

  abort(): void {
    this.#over = true;
    this.#stream.close(NGHTTP2_CANCEL);
  }

  #bring(): void {
    const head = this.#head;
    const trailers = this.#trailers ?? head;
    if (!head || !trailers?.some(([name]) => name === 'grpc-status')) return void this.#fail();
    const body = Buffer.concat(this.#chunks);
    const message = body.length < PREFIX_BYTES ? undefined : body.subarray(PREFIX_BYTES);
    if (message && (body[0] !== 0 || body.readUInt32BE(1) !== message.length)) return void this.#fail();
    if (this.#over) return;
    this.#over = true;
    this.#taker.answered({ head, message, trailers });
  }

  #fail(): void {
    if (this.#over) return;
    this.#over = true;
    this.#taker.failed(this.#connection.slow);
  }
}

function onward({ path, metadata }: RpcQuestion, order: string): Record<string, string> {
  const kept = Object.entries(metadata).filter(([name]) => !LEFT_OUT.has(name));
  return {
    ...Object.fromEntries(kept),
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    [REQUEST_HEADERS.forwarded]: order,
  };
}

const metadataOf = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader): RpcMetadata =>
  Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') || value === undefined ? [] : [[name, String(value)] as const],
  );
