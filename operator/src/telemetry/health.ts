import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly registry: Registry;
  /** Caches are filled: this replica could lead. */
  readonly ready: () => boolean;
}
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const answer = (response: ServerResponse, status: number, body: string, type = 'text/plain'): void => {
  response.writeHead(status, { 'content-type': type }).end(body);
};

/** /livez answers while the event loop turns; /readyz once the caches are filled; /metrics in Prometheus text. */
export async function serveHealth({ port, registry, ready }: HealthOptions): Promise<HealthServer> {
  const pages: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    '/livez': async (response) => answer(response, 200, 'ok\n'),
    '/readyz': async (response) =>
      ready() ? answer(response, 200, 'ok\n') : answer(response, 503, 'caches are filling\n'),
    '/metrics': async (response) => answer(response, 200, await registry.metrics(), registry.contentType),
  };
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url ?? '/', 'http://health').pathname];
    if (page === undefined) return answer(response, 404, 'try /livez, /readyz or /metrics\n');
    page(response).catch((error: unknown) => answer(response, 500, `${(error as Error).message}\n`));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
