import { createServer, type Server, type Socket } from 'node:net';
import { secureOptions } from '../access/tls.ts';
import { tls } from '../nodeHttp.ts';
import type { PortDependencies } from '../portDependencies.ts';
import { BodyGate } from '../rest/bodyGate.ts';
import type { Leaving } from '../rest/drain.ts';
import { BufferPool } from './bufferPool.ts';
import { CallOpener } from './callOpener.ts';
import type { RpcContext } from './dependencies.ts';
import type { RpcHead } from './head.ts';
import type { ConnectionLimits } from './http2/connection.ts';
import { type Patience, SocketConnection } from './http2/socketTransport.ts';
import { Unread } from './http2/unread.ts';
import { METHODS } from './services.ts';

export interface GrpcServer {
  /** Not listening yet. */
  readonly server: Server;
  /** Calls that have arrived and are not answered. */
  readonly inFlight: number;
  /**
   * Leaves without dropping a call: serves for `drainMs` as before, then takes no new connection, tells callers to go
   * elsewhere, and resolves when all that was asked has been answered, after `patienceMs` at the latest.
   */
  drain(leaving: Leaving): Promise<void>;
  /** Ends at once: what is under way is lost. */
  close(): void;
}

/** Calls of one connection at the same time: more than any queue of ours lets through. */
const MAX_STREAMS = 1024;
/** Most messages fit, so that they come without a round trip; larger ones ask at the gate. */
const STREAM_WINDOW = 1024 * 1024;
/** 16 of the largest unasked messages on the way at once. */
const CONNECTION_WINDOW = 16 * 1024 * 1024;
/** Kept between requests: some forty bodies of 600 kB. */
const MOST_POOLED = 32 * 1024 * 1024;
/** Answers that wait to be read may take as much memory as bodies that come, so many times. */
const MOST_UNREAD = 8;
const TICK_MS = 1000;
const DRAIN_PATIENCE_MS = 2000;

/** The gRPC port: Open Inference Protocol with Triton's extensions, health and reflection. */
export function createGrpcServer(deps: PortDependencies): GrpcServer {
  const { limits } = deps;
  const context = contextOf(deps);
  const connections = new Set<SocketConnection<RpcHead>>();
  const rules: ConnectionLimits = {
    maxHeaderBytes: limits.maxHeaderBytes,
    maxStreams: MAX_STREAMS,
    streamWindow: STREAM_WINDOW,
    connectionWindow: CONNECTION_WINDOW,
    unreadMs: 2 * limits.bodyTimeoutMs,
    unread: new Unread(MOST_UNREAD * limits.maxBodiesBytes, function* () {
      for (const { connection } of connections) yield connection;
    }),
  };
  const patience: Patience = {
    unfinishedMs: limits.headersTimeoutMs,
    stuckMs: limits.bodyTimeoutMs,
    drainMs: DRAIN_PATIENCE_MS,
  };
  let draining = false;
  const abandonAll = () => {
    for (const { connection } of connections) connection.abandon();
  };
  const server = serverOf(deps, (socket) => {
    const origin = new CallOpener(context, METHODS, socket.remoteAddress);
    const connection = new SocketConnection(socket, origin, rules, patience, (gone) => connections.delete(gone));
    connections.add(connection);
    // A handshake may end after the port has been closed.
    if (draining) connection.connection.drain();
  });
  server.maxConnections = limits.maxConnections;
  server.on('drop', () => deps.onFailure(`More than ${limits.maxConnections} connections: one was closed.`, undefined));
  const timer = setInterval(() => {
    const now = deps.elapsed();
    for (const connection of [...connections]) connection.tick(now, draining);
  }, TICK_MS).unref();
  server.on('close', () => clearInterval(timer));
  return {
    server,
    get inFlight() {
      let open = 0;
      for (const { connection } of connections) open += connection.openStreams;
      return open;
    },
    async drain({ drainMs, patienceMs, pause }) {
      await pause(drainMs);
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const { connection } of connections) connection.drain();
      await Promise.race([closed, pause(patienceMs).then(abandonAll)]);
    },
    close() {
      server.close();
      for (const connection of connections) connection.destroy();
    },
  };
}

function contextOf(deps: PortDependencies): RpcContext {
  const { maxBodyBytes, maxBodiesBytes } = deps.limits;
  const reading = {
    gate: deps.gate ?? new BodyGate(maxBodiesBytes),
    pool: new BufferPool(Math.min(maxBodiesBytes, MOST_POOLED)),
    maxMessageBytes: maxBodyBytes,
    streamWindow: STREAM_WINDOW,
    maxUnaskedBytes: maxBodiesBytes,
    unasked: 0,
  };
  return { ...deps, reading };
}

function serverOf({ certificate, limits }: PortDependencies, connected: (socket: Socket) => void): Server {
  if (!certificate) return createServer({ noDelay: true }, connected);
  const options = {
    ...secureOptions(certificate.pair),
    ALPNProtocols: ['h2'],
    handshakeTimeout: limits.headersTimeoutMs,
  };
  const server = tls.createServer(options, connected);
  certificate.follow(server);
  return server;
}
