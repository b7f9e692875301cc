import { createServer, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { type Listening, listening } from './listening.ts';

export interface HealthOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly registry: Registry;
  /** Caches are filled: this replica could lead. */
  readonly ready: () => boolean;
}

const answer = (response: ServerResponse, status: number, body: string, type = 'text/plain'): void => {
  response.writeHead(status, { 'content-type': type }).end(body);
};

/** /livez answers while the event loop turns; /readyz once the caches are filled; /metrics in Prometheus text. */
export async function serveHealth({ port, registry, ready }: HealthOptions): Promise<Listening> {
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
  return listening(server, port);
}
