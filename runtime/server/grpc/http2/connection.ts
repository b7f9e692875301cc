import { Calm } from './calm.ts';
import { FrameReader, type FrameTarget } from './frameReader.ts';
import { goawayFrame, pingFrame, SETTINGS_ACK, settingsFrame, windowUpdateFrame } from './frames.ts';
import { HeaderBlocks, type ParseHead } from './headerBlocks.ts';
import { Outbox, type Wire } from './outbox.ts';
import { readIncrement, readSettings } from './payloads.ts';
import {
  ConnectionError,
  DEFAULT_MAX_FRAME,
  DEFAULT_WINDOW,
  ERROR,
  FLAG,
  FRAME,
  MAX_WINDOW,
  PREFACE,
  SETTING,
} from './protocol.ts';
import type { ServerStream } from './stream.ts';
import { type Application, Streams } from './streams.ts';
import type { Reader, Unread } from './unread.ts';

export interface ConnectionLimits {
  readonly maxHeaderBytes: number;
  readonly maxStreams: number;
  /** What a stream may send before anybody has looked at it. */
  readonly streamWindow: number;
  /** What all streams of the connection may have on the way. */
  readonly connectionWindow: number;
  /** Milliseconds that a stream may leave its answer unread while others of the connection are read. */
  readonly unreadMs: number;
  /** Shared by the connections of a port. */
  readonly unread: Unread;
}

/** What carries a connection. */
export interface Transport extends Wire {
  /** Bytes written and not yet taken by the network. */
  readonly unsent: number;
  /** Sends what was written and ends. */
  end(): void;
}

export interface ConnectionUser<Head> extends Application<Head> {
  readonly parseHead: ParseHead<Head>;
  /** A bug of ours; the connection it struck has ended. */
  failed(error: unknown): void;
}

type Phase = 'Preface' | 'Settings' | 'Open' | 'Closed';

const DRAIN_PING = Buffer.from('slipway\n');
/** How long nothing may move on a stream whose answer waits, where the answers of all connections leave little room. */
const CROWDED_MS = 2000;
/** Answers to PING and SETTINGS that the peer makes us write and does not read. */
const MOST_UNREAD_CONTROL = 1024 * 1024;

/**
 * The server's side of one HTTP/2 connection (RFC 9113), over any transport. Keeps the peer to the limits and itself to
 * the peer's; whatever breaks the protocol ends the stream or the connection with the code that the RFC names.
 */
export class Connection<Head> implements FrameTarget, Reader {
  readonly #transport: Transport;
  readonly #user: ConnectionUser<Head>;
  readonly #reader: FrameReader;
  readonly #headers: HeaderBlocks<Head>;
  readonly #outbox: Outbox;
  readonly #calm = new Calm();
  readonly #streams: Streams<Head>;
  readonly #fullWindow: number;
  readonly #unreadMs: () => number;
  #phase: Phase = 'Preface';
  #preface: Buffer = Buffer.alloc(0);
  /** A header block that is not whole. */
  #assembling: { readonly stream: number; readonly flags: number } | undefined;
  #draining = false;
  /** The peer opens no more streams. */
  #peerLeaves = false;
  #receiveWindow: number;
  /** Of the DATA frame under way; undefined: thrown away. */
  #dataStream: ServerStream | undefined;
  #dataEnds = false;

  constructor(transport: Transport, user: ConnectionUser<Head>, limits: ConnectionLimits) {
    this.#transport = transport;
    this.#user = user;
    this.#fullWindow = limits.connectionWindow;
    this.#unreadMs = () => (limits.unread.isCrowded ? Math.min(CROWDED_MS, limits.unreadMs) : limits.unreadMs);
    this.#receiveWindow = limits.connectionWindow;
    this.#reader = new FrameReader(this, DEFAULT_MAX_FRAME);
    this.#headers = new HeaderBlocks(limits.maxHeaderBytes, user.parseHead);
    this.#outbox = new Outbox(transport, this.#calm, limits.unread, (stream) => this.#localEnd(stream));
    this.#streams = new Streams(user, this.#outbox, this.#calm, limits);
    this.#greet(limits);
  }

  #greet(limits: ConnectionLimits): void {
    this.#outbox.control(
      settingsFrame([
        [SETTING.maxConcurrentStreams, limits.maxStreams],
        [SETTING.initialWindowSize, limits.streamWindow],
        [SETTING.maxHeaderListSize, limits.maxHeaderBytes],
      ]),
    );
    this.#outbox.control(windowUpdateFrame(0, limits.connectionWindow - DEFAULT_WINDOW));
  }

  /** Requests under way. */
  get openStreams(): number {
    return this.#streams.size;
  }

  get closed(): boolean {
    return this.#phase === 'Closed';
  }

  /** Waiting for the peer to finish what it began: its greeting, a frame or a header block. */
  get unfinished(): boolean {
    return this.#phase === 'Preface' || this.#phase === 'Settings' || !!this.#assembling || this.#reader.waiting;
  }

  /** Waiting for the peer to read. */
  get stuck(): boolean {
    return this.#outbox.stuck;
  }

  /** Bytes from the peer. Never throws. */
  receive(chunk: Buffer): void {
    if (this.#phase === 'Closed') return;
    try {
      const rest = this.#phase === 'Preface' ? this.#readPreface(chunk) : chunk;
      if (rest.length > 0) this.#reader.push(rest);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The transport takes bytes again. */
  unblocked(): void {
    this.#outbox.unblocked();
  }

  /** The transport is gone. */
  lost(): void {
    this.#phase = 'Closed';
    this.#streams.dropAll();
  }

  /**
   * Tells the peer to go elsewhere with new requests, answers those under way, and ends. Requests may be on their way at
   * this very moment: they count until the answer to the ping shows that the peer knows.
   */
  drain(): void {
    if (this.#draining || this.#phase === 'Closed') return;
    this.#draining = true;
    for (const stream of this.#streams.all()) stream.user?.drain();
    if (this.#phase === 'Preface') return void this.close(ERROR.none, '');
    this.#outbox.control(goawayFrame(MAX_WINDOW, ERROR.none, 'shutting down'));
    this.#outbox.control(pingFrame(0, DRAIN_PING));
  }

  /** Ends at once, with a reason for each stream that has no answer. */
  abandon(): void {
    for (const stream of this.#streams.all()) stream.user?.abandon();
    this.close(ERROR.none, 'shutting down');
  }

  tick(now: number): void {
    for (const stream of this.#streams.all()) {
      if (stream.unreadFor(now) > this.#unreadMs()) this.#giveUp(stream);
      else stream.user?.tick(now);
    }
  }

  get backlog(): number {
    return this.#outbox.backlog;
  }

  shed(all: number): void {
    const { longest } = this.#outbox;
    if (longest && longest.backlog < all) this.#giveUp(longest);
  }

  /** The peer does not read what it asked for. */
  #giveUp(stream: ServerStream): void {
    stream.reset(ERROR.enhanceYourCalm);
    stream.user?.gone();
  }

  /** Ends the connection at once. `reason` is for the peer's log. */
  close(code: number, reason: string): void {
    if (this.#phase === 'Closed') return;
    this.#outbox.control(goawayFrame(this.#streams.last, code, reason));
    this.#outbox.flush();
    this.lost();
    this.#transport.end();
  }

  #fail(error: unknown): void {
    if (error instanceof ConnectionError) return void this.close(error.code, error.message);
    this.close(ERROR.internal, 'the server failed on this connection');
    this.#user.failed(error);
  }

  #readPreface(chunk: Buffer): Buffer {
    const bytes = this.#preface.length > 0 ? Buffer.concat([this.#preface, chunk]) : chunk;
    const length = Math.min(bytes.length, PREFACE.length);
    if (bytes.compare(PREFACE, 0, length, 0, length) !== 0)
      throw new ConnectionError(ERROR.protocol, 'this is no HTTP/2');
    this.#preface = bytes;
    if (bytes.length >= PREFACE.length) this.#phase = 'Settings';
    return bytes.subarray(PREFACE.length);
  }

  frame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#phase === 'Closed') return;
    this.#checkTurn(type, flags, stream);
    switch (type) {
      case FRAME.headers:
        return void this.#onHeaders(flags, stream, bytes, start, end);
      case FRAME.continuation:
        return void this.#onContinuation(flags, bytes, start, end);
      case FRAME.windowUpdate:
        return void this.#onWindowUpdate(stream, readIncrement(bytes, start, end));
      case FRAME.settings:
        return void this.#onSettings(flags, stream, bytes, start, end);
      case FRAME.ping:
        return void this.#onPing(flags, stream, bytes, start, end);
      case FRAME.rstStream:
        if (end - start !== 4) throw new ConnectionError(ERROR.frameSize, 'an RST_STREAM that is not 4 bytes long');
        this.#streams.reset(stream);
        return void this.#endIfDone();
      case FRAME.goaway:
        if (stream !== 0) throw new ConnectionError(ERROR.protocol, 'GOAWAY on a stream');
        this.#peerLeaves = true;
        return void this.#endIfDone();
      case FRAME.pushPromise:
        throw new ConnectionError(ERROR.protocol, 'a push from a client');
      default:
        this.#calm.idleFrame();
    }
  }

  #checkTurn(type: number, flags: number, stream: number): void {
    if (this.#assembling && (type !== FRAME.continuation || stream !== this.#assembling.stream)) {
      throw new ConnectionError(ERROR.protocol, 'a header block that is interrupted');
    }
    if (this.#phase === 'Settings' && (type !== FRAME.settings || flags & FLAG.ack)) {
      throw new ConnectionError(ERROR.protocol, 'no SETTINGS first');
    }
  }

  #onHeaders(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    if (stream % 2 === 0) throw new ConnectionError(ERROR.protocol, `a request on stream ${stream}`);
    const head = this.#headers.headers(flags, bytes, start, end);
    if (head === undefined) this.#assembling = { stream, flags };
    else this.#streams.headers(stream, head, (flags & FLAG.endStream) !== 0);
  }

  #onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const block = this.#assembling;
    if (!block) throw new ConnectionError(ERROR.protocol, 'a CONTINUATION of nothing');
    const head = this.#headers.continuation(flags, bytes, start, end);
    if (head === undefined) return;
    this.#assembling = undefined;
    this.#streams.headers(block.stream, head, (block.flags & FLAG.endStream) !== 0);
  }

  #onWindowUpdate(stream: number, increment: number): void {
    if (stream !== 0) return void this.#streams.widen(stream, increment);
    if (increment === 0) throw new ConnectionError(ERROR.protocol, 'a WINDOW_UPDATE of 0');
    this.#outbox.window += increment;
    if (this.#outbox.window > MAX_WINDOW) throw new ConnectionError(ERROR.flowControl, 'a window that is too wide');
    this.#calm.idleFrame();
    this.#outbox.pump();
  }

  #onSettings(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    if (stream !== 0) throw new ConnectionError(ERROR.protocol, 'SETTINGS on a stream');
    this.#calm.idleFrame();
    if (flags & FLAG.ack) {
      if (end > start) throw new ConnectionError(ERROR.frameSize, 'an acknowledgement with contents');
      return;
    }
    const { initialWindow, maxFrame } = readSettings(bytes, start, end);
    this.#phase = 'Open';
    if (maxFrame !== undefined) this.#outbox.maxFrame = maxFrame;
    if (initialWindow !== undefined) this.#streams.initialWindow(initialWindow);
    this.#answer(SETTINGS_ACK);
  }

  #onPing(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    if (stream !== 0) throw new ConnectionError(ERROR.protocol, 'PING on a stream');
    if (end - start !== 8) throw new ConnectionError(ERROR.frameSize, 'a PING that is not 8 bytes long');
    this.#calm.idleFrame();
    const opaque = bytes.subarray(start, end);
    if (!(flags & FLAG.ack)) return void this.#answer(pingFrame(FLAG.ack, opaque));
    if (!this.#draining || DRAIN_PING.compare(opaque) !== 0) return;
    this.#streams.acceptUpTo = this.#streams.last;
    this.#outbox.control(goawayFrame(this.#streams.last, ERROR.none, 'shutting down'));
    this.#endIfDone();
  }

  #answer(frame: Buffer): void {
    if (this.#transport.unsent + this.#outbox.gathered > MOST_UNREAD_CONTROL && this.#outbox.stuck) {
      throw new ConnectionError(ERROR.enhanceYourCalm, 'answers that nobody reads');
    }
    this.#outbox.control(frame);
  }

  dataStart(flags: number, id: number, length: number): void {
    if (this.#phase === 'Closed') return;
    this.#checkTurn(FRAME.data, flags, id);
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) throw new ConnectionError(ERROR.flowControl, 'more DATA than the window holds');
    this.#dataStream = this.#streams.receiving(id, length);
    this.#dataEnds = (flags & FLAG.endStream) !== 0;
    if (!this.#dataStream || (length === 0 && !this.#dataEnds)) this.#calm.idleFrame();
  }

  dataPiece(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    if (this.#phase === 'Closed') return;
    if (last && this.#receiveWindow * 2 <= this.#fullWindow) this.#widenOwnWindow();
    if (this.#dataStream) this.#streams.deliver(this.#dataStream, bytes, start, end, last && this.#dataEnds);
  }

  #widenOwnWindow(): void {
    this.#outbox.control(windowUpdateFrame(0, this.#fullWindow - this.#receiveWindow));
    this.#receiveWindow = this.#fullWindow;
  }

  #localEnd(stream: ServerStream): void {
    this.#streams.localEnd(stream);
    this.#endIfDone();
  }

  /** The last answer of a connection that either side is leaving takes it along. */
  #endIfDone(): void {
    const last = this.#peerLeaves || (this.#draining && this.#streams.acceptUpTo !== MAX_WINDOW);
    if (!last || this.#streams.size > 0 || this.#phase === 'Closed') return;
    this.#outbox.flush();
    this.#phase = 'Closed';
    this.#transport.end();
  }
}
