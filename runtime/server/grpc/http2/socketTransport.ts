import type { Socket } from 'node:net';
import { Connection, type ConnectionLimits, type ConnectionUser, type Transport } from './connection.ts';
import { ERROR } from './protocol.ts';

/** What a connection may keep us waiting for. Milliseconds. */
export interface Patience {
  /** For the greeting, and for the rest of a frame or header block that has begun. */
  readonly unfinishedMs: number;
  /** For a peer that reads nothing of what it asked for. */
  readonly stuckMs: number;
  /** For the answer to the ping of a drain. */
  readonly drainMs: number;
}

/** Connections of proxies live for hours: a peer whose machine is gone is found out by the kernel. */
const KEEP_ALIVE_MS = 60_000;

/** A connection over a socket, plain or TLS. */
export class SocketConnection<Head> implements Transport {
  readonly #socket: Socket;
  readonly #patience: Patience;
  readonly connection: Connection<Head>;
  /** Since when the peer has kept us waiting; undefined while it does not. */
  #unfinishedSince: number | undefined;
  #stuckSince: number | undefined;
  #idleSince: number | undefined;
  /** What the socket had sent when it was last looked at. */
  #sent = 0;

  constructor(
    socket: Socket,
    user: ConnectionUser<Head>,
    limits: ConnectionLimits,
    patience: Patience,
    closed: (connection: SocketConnection<Head>) => void,
  ) {
    this.#socket = socket;
    this.#patience = patience;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.connection = new Connection(this, user, limits);
    socket.on('data', (chunk: Buffer) => this.connection.receive(chunk));
    socket.on('drain', () => this.connection.unblocked());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.connection.lost();
      closed(this);
    });
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Buffer): boolean {
    return this.#socket.destroyed ? true : this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Called about once a second. Ends a connection whose peer does not do its part. */
  tick(now: number, draining: boolean): void {
    const { connection } = this;
    const { unfinishedMs, stuckMs, drainMs } = this.#patience;
    connection.tick(now);
    if (connection.closed) {
      this.#idleSince ??= now;
      if (now - this.#idleSince > drainMs) this.#socket.destroy();
      return;
    }
    this.#unfinishedSince = connection.unfinished ? (this.#unfinishedSince ?? now) : undefined;
    this.#stuckSince =
      connection.stuck && this.#sent === this.#socket.bytesWritten - this.unsent
        ? (this.#stuckSince ?? now)
        : undefined;
    this.#sent = this.#socket.bytesWritten - this.unsent;
    this.#idleSince = draining && connection.openStreams === 0 ? (this.#idleSince ?? now) : undefined;
    if (isOver(this.#unfinishedSince, unfinishedMs, now)) connection.close(ERROR.protocol, 'a frame took too long');
    else if (isOver(this.#stuckSince, stuckMs, now)) this.#socket.destroy();
    else if (isOver(this.#idleSince, drainMs, now)) connection.close(ERROR.none, 'shutting down');
  }
}

const isOver = (since: number | undefined, patience: number, now: number): boolean =>
  since !== undefined && now - since > patience;
