import type { Client } from './client.ts';
import { endpointOf } from './config.ts';
import type { Meter } from './observe.ts';
import { createRestClient } from './restClient.ts';
import { createTransport, type Transport } from './transport.ts';

export interface ConnectOptions {
  /** A file; without one, the pod's service account. */
  readonly kubeconfig?: string | undefined;
  /** Of that file; without one, its current context. */
  readonly context?: string | undefined;
  readonly http2?: boolean;
  readonly meter?: Meter;
}
export interface Connection {
  readonly client: Client;
  readonly transport: Transport;
  close(): Promise<void>;
}

/** Opens the one connection that every call and every watch of this program shares. Proves it with a call. */
export async function connect({ kubeconfig, context, ...options }: ConnectOptions): Promise<Connection> {
  const transport = createTransport({ endpoint: endpointOf(kubeconfig, context), ...options });
  await transport.call({ verb: 'get', method: 'GET', path: '/version' });
  return { client: createRestClient(transport), transport, close: () => transport.close() };
}
