import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { http } from '../../nodeHttp.ts';
import type { Lane } from './lane.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of node:http with a lane in front: the lane has each connection first, and node:http what the lane leaves. */
export class LaneServer extends http.Server {
  readonly #take: (socket: Socket) => void;
  #lane: Lane | undefined;

  constructor(options: ServerOptions, listener: Listener) {
    super(options, listener);
    this.#take = this.listeners('connection')[0] as (socket: Socket) => void;
    this.removeAllListeners('connection');
    this.on('connection', (socket: Socket) => (this.#lane ? this.#lane.take(socket) : this.adopt(socket)));
  }

  putInFront(lane: Lane): void {
    this.#lane = lane;
  }

  /** Lets node:http read the connection from here on. */
  adopt(socket: Socket): void {
    this.#take.call(this, socket);
  }

  /** Called by `close` too. */
  override closeIdleConnections(): void {
    super.closeIdleConnections();
    this.#lane?.closeIdle();
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    this.#lane?.closeAll();
  }
}
