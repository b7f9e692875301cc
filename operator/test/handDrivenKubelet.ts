import { randomUUID } from 'node:crypto';
import { type Node, nodes } from '../src/api/builtin.ts';
import type { Client } from '../src/kube/client.ts';
import { openFront } from './front.ts';

/** A node whose kubelet knows nothing but what containers have written. */
export interface HandDrivenKubelet {
  readonly node: string;
  /** What the containers of a pod have written. */
  wrote(pod: string, log: string): void;
  stop(): Promise<void>;
}

/** The API server asks it for logs as it asks any kubelet: over HTTPS, at the address and port that the node names. */
export async function startKubelet(client: Client): Promise<HandDrivenKubelet> {
  const logs = new Map<string, string>();
  const front = await openFront((request, response) => {
    const [, what, , pod = ''] = new URL(request.url, 'https://kubelet').pathname.split('/');
    const log = what === 'containerLogs' ? logs.get(pod) : undefined;
    response.writeHead(log === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(log ?? 'no such container');
  });
  const name = `hand-driven-${randomUUID().slice(0, 8)}`;
  const about = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  await client.create(nodes, about as Node);
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: Number(front.endpoint.server.port) } },
  };
  await client.applyStatus(nodes, { ...about, status } as unknown as Node, { fieldManager: 'kubelet' });
  return {
    node: name,
    wrote: (pod, log) => void logs.set(pod, log),
    stop: async () => {
      await client.delete(nodes, { namespace: '', name });
      await front.close();
    },
  };
}
