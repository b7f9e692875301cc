import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createAuthority } from '@slipway/hack/local-cluster/pki.ts';
import type { Endpoint } from '../src/kube/config.ts';
import { openRelay, type Relay } from './relay.ts';

export type Request = Http2ServerRequest;
/** HTTP/1.1 holds the head of an answer back until there is a body, unless told to flush it; HTTP/2 never does. */
export interface Response extends Http2ServerResponse {
  flushHeaders?(): void;
}

/** An HTTPS server for HTTP/1.1 and HTTP/2 behind a relay that breaks connections. */
export interface Front {
  readonly endpoint: Endpoint;
  readonly relay: Relay;
  /** Tells every HTTP/2 client to go elsewhere, as a server does that is about to end; streams under way go on. */
  goAway(): void;
  close(): Promise<void>;
}

const authority = createAuthority('slipway-test');

export async function openFront(answer: (request: Request, response: Response) => void): Promise<Front> {
  const root = await authority;
  const { certificate, key } = await root.issue({ commonName: 'test', ips: ['127.0.0.1'] });
  const server = createSecureServer({ cert: certificate, key, allowHTTP1: true }, answer);
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session)).on('error', () => {});
  });
  server.on('sessionError', () => {}).on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay = await openRelay((server.address() as AddressInfo).port);
  const url = new URL(`https://127.0.0.1:${relay.port}`);
  return {
    endpoint: { server: url, credentials: async () => ({ headers: {}, tls: { ca: root.certificate } }) },
    relay,
    goAway: () => {
      for (const session of sessions) if (!session.destroyed) session.goaway(0);
    },
    close: async () => {
      await relay.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
