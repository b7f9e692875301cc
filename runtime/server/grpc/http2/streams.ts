import { Roster } from '../../roster.ts';
import type { Calm } from './calm.ts';
import { rstStreamFrame } from './frames.ts';
import type { Outbox } from './outbox.ts';
import { ConnectionError, DEFAULT_WINDOW, ERROR, MAX_WINDOW } from './protocol.ts';
import { ServerStream, type StreamUser } from './stream.ts';

export interface Application<Head> {
  /** A request begins. `ended`: it has no body. */
  open(stream: ServerStream, head: Head, ended: boolean): StreamUser;
}

const NOTHING = new Uint8Array(0);
/** Bytes of answers that a peer may leave unread before it gets no more streams. */
const MOST_UNREAD = 64 * 1024 * 1024;

/** The streams of one connection: from the peer's HEADERS to the end of both sides, or a reset by either. */
export class Streams<Head> {
  readonly #application: Application<Head>;
  readonly #outbox: Outbox;
  readonly #calm: Calm;
  readonly #most: number;
  readonly #receiveWindow: number;
  readonly #open = new Roster<ServerStream>();
  /** The highest that the peer has begun. */
  last = 0;
  /** Streams above this come too late: the caller was told to take them elsewhere. */
  acceptUpTo = MAX_WINDOW;
  #sendWindow = DEFAULT_WINDOW;

  constructor(
    application: Application<Head>,
    outbox: Outbox,
    calm: Calm,
    limits: { readonly maxStreams: number; readonly streamWindow: number },
  ) {
    this.#application = application;
    this.#outbox = outbox;
    this.#calm = calm;
    this.#most = limits.maxStreams;
    this.#receiveWindow = limits.streamWindow;
  }

  get size(): number {
    return this.#open.size;
  }

  all(): readonly ServerStream[] {
    return [...this.#open];
  }

  /** Frames of a stream mostly follow each other, and a connection has few streams: a table would cost more. */
  #find(id: number): ServerStream | undefined {
    return this.#open.find((stream) => stream.id === id);
  }

  /** A whole header block: a new request, or the trailers of one that is under way. */
  headers(id: number, head: Head, ended: boolean): void {
    if (id <= this.last) return void this.#trailers(id, ended);
    if (id > this.acceptUpTo) return void this.#calm.idleFrame();
    this.last = id;
    if (this.#open.size >= this.#most || this.#outbox.backlog > MOST_UNREAD) {
      this.#calm.reset();
      return void this.#outbox.control(rstStreamFrame(id, ERROR.refusedStream));
    }
    const stream = new ServerStream(id, this.#outbox, this.#sendWindow, this.#receiveWindow, ended);
    this.#open.add(stream);
    stream.user = this.#application.open(stream, head, ended);
  }

  /** The fields of trailers mean nothing to a server of RPCs; their end does. */
  #trailers(id: number, ended: boolean): void {
    const stream = this.#find(id);
    if (!stream) return void this.#calm.idleFrame();
    if (stream.remoteEnded) return void this.#break(stream, ERROR.streamClosed);
    if (!ended) return void this.#break(stream, ERROR.protocol);
    stream.remoteEnded = true;
    stream.user?.data(NOTHING, 0, 0, true);
  }

  /** The stream that a DATA frame of so many bytes belongs to; undefined when its bytes are to be thrown away. */
  receiving(id: number, length: number): ServerStream | undefined {
    this.#checkBegun(id, 'DATA');
    const stream = this.#find(id);
    if (!stream) return undefined;
    stream.receiveWindow -= length;
    if (stream.remoteEnded) this.#break(stream, ERROR.streamClosed);
    else if (stream.receiveWindow < 0) this.#break(stream, ERROR.flowControl);
    else return stream;
    return undefined;
  }

  deliver(stream: ServerStream, bytes: Uint8Array, start: number, end: number, ends: boolean): void {
    if (stream.place < 0) return;
    if (ends) stream.remoteEnded = true;
    if (end > start) this.#calm.moved();
    stream.user?.data(bytes, start, end, ends);
  }

  /** WINDOW_UPDATE of one stream. */
  widen(id: number, increment: number): void {
    this.#checkBegun(id, 'WINDOW_UPDATE');
    const stream = this.#find(id);
    if (!stream) return void this.#calm.idleFrame();
    if (increment === 0) return void this.#break(stream, ERROR.protocol);
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW) return void this.#break(stream, ERROR.flowControl);
    if (stream.outgoing) this.#outbox.pump();
    else this.#calm.idleFrame();
  }

  /** The peer changed the window that streams begin with: those that are open change by as much (section 6.9.2). */
  initialWindow(size: number): void {
    for (const stream of this.#open) {
      stream.sendWindow += size - this.#sendWindow;
      if (stream.sendWindow > MAX_WINDOW) throw new ConnectionError(ERROR.flowControl, 'a window that is too wide');
    }
    this.#sendWindow = size;
    this.#outbox.pump();
  }

  /** RST_STREAM from the peer. */
  reset(id: number): void {
    this.#checkBegun(id, 'RST_STREAM');
    this.#calm.reset();
    const stream = this.#find(id);
    if (stream) this.#drop(stream);
  }

  /** The connection is lost. */
  dropAll(): void {
    for (const stream of this.all()) this.#drop(stream);
  }

  /** Our side of the stream has said all it had. A peer that still sends is told that it need not. */
  localEnd(stream: ServerStream): void {
    this.#open.delete(stream);
    this.#calm.progress();
    if (stream.remoteEnded) return;
    stream.remoteEnded = true;
    this.#outbox.control(rstStreamFrame(stream.id, ERROR.none));
  }

  /** What came too late to count may still be spoken of: only streams that nobody began are a fault. */
  #checkBegun(id: number, frame: string): void {
    if (id > 0 && (id <= this.last || id > this.acceptUpTo)) return;
    throw new ConnectionError(ERROR.protocol, `${frame} on stream ${id}, which is not open`);
  }

  #break(stream: ServerStream, code: number): void {
    this.#calm.reset();
    this.#outbox.control(rstStreamFrame(stream.id, code));
    this.#drop(stream);
  }

  #drop(stream: ServerStream): void {
    this.#open.delete(stream);
    stream.remoteEnded = true;
    stream.localEnded = true;
    this.#outbox.forget(stream);
    stream.user?.gone();
  }
}
