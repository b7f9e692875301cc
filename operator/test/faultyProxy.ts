import { Agent } from 'undici';
import type { Endpoint } from '../src/kube/config.ts';
import { type Front, openFront, type Request, type Response } from './front.ts';

export interface FaultyProxy {
  readonly front: Front;
  /** How often each fault was injected. */
  readonly injected: Readonly<Record<string, number>>;
  /** Off: everything passes. */
  enabled: boolean;
  close(): Promise<void>;
}

interface Exchange {
  readonly response: Response;
  readonly chunk?: Uint8Array;
}
interface FaultRule {
  readonly name: string;
  readonly chance: number;
  readonly on: 'any' | 'list' | 'watch' | 'chunk';
  readonly inject: (exchange: Exchange) => void;
}

const refuse = (response: Response, code: number, reason: string, headers: Record<string, string> = {}): void => {
  if (response.headersSent) return;
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', code, reason, message: 'injected' }));
};
const EXPIRED = { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired', message: 'injected' };

const RULES: readonly FaultRule[] = [
  {
    name: '429',
    chance: 0.05,
    on: 'any',
    inject: ({ response }) => refuse(response, 429, 'TooManyRequests', { 'retry-after': '1' }),
  },
  { name: '503', chance: 0.05, on: 'any', inject: ({ response }) => refuse(response, 503, 'ServiceUnavailable') },
  { name: '500', chance: 0.05, on: 'any', inject: ({ response }) => refuse(response, 500, 'InternalError') },
  { name: '410 to a list', chance: 0.05, on: 'list', inject: ({ response }) => refuse(response, 410, 'Expired') },
  { name: '410 to a watch', chance: 0.1, on: 'watch', inject: ({ response }) => refuse(response, 410, 'Expired') },
  {
    name: '410 in the stream',
    chance: 0.004,
    on: 'chunk',
    inject: ({ response }) => void response.end(`${JSON.stringify({ type: 'ERROR', object: EXPIRED })}\n`),
  },
  { name: 'clean end', chance: 0.004, on: 'chunk', inject: ({ response }) => void response.end() },
  { name: 'cut in mid-line', chance: 0.008, on: 'chunk', inject: cut },
  {
    name: 'clean end in mid-line',
    chance: 0.004,
    on: 'chunk',
    inject: ({ response, chunk }) => void response.end(half(chunk)),
  },
];

const half = (chunk: Uint8Array = new Uint8Array()): Uint8Array => chunk.subarray(0, Math.ceil(chunk.length / 2));

function cut({ response, chunk }: Exchange): void {
  response.write(half(chunk), () => response.stream?.session?.destroy() ?? response.socket?.destroy());
}

/** Passes everything on to a real API server, except when the dice say otherwise. */
export async function openFaultyProxy(upstream: Endpoint, random: () => number): Promise<FaultyProxy> {
  const { tls, headers } = await upstream.credentials(false);
  const agent = new Agent({ connect: tls, headersTimeout: 0, bodyTimeout: 0, allowH2: false });
  const injected: Record<string, number> = {};

  function strikes(on: readonly FaultRule['on'][], exchange: Exchange): boolean {
    const rule = proxy.enabled ? RULES.find((r) => on.includes(r.on) && random() < r.chance) : undefined;
    if (rule === undefined) return false;
    injected[rule.name] = (injected[rule.name] ?? 0) + 1;
    rule.inject(exchange);
    return true;
  }

  async function pass(request: Request, response: Response): Promise<void> {
    const watching = request.url.includes('watch=true');
    if (strikes(['any', watching ? 'watch' : 'list'], { response })) return;
    const gone = new AbortController();
    response.on('close', () => gone.abort()).on('error', () => gone.abort());
    response.stream?.on('error', () => gone.abort());
    const { statusCode, body } = await agent.request({
      origin: upstream.server.origin,
      path: request.url,
      method: 'GET',
      headers,
      signal: gone.signal,
    });
    response.writeHead(statusCode, { 'content-type': 'application/json' });
    for await (const chunk of body) {
      if (watching && strikes(['chunk'], { response, chunk })) return gone.abort();
      response.write(chunk);
    }
    response.end();
  }

  // What breaks here was broken on purpose, or with the server behind: the client sees a broken connection either way.
  const front = await openFront((request, response) => {
    pass(request, response).catch(() => response.stream?.destroy() ?? response.socket?.destroy());
  });
  const close = async (): Promise<void> => {
    await front.close();
    await agent.destroy();
  };
  const proxy: FaultyProxy = { front, injected, enabled: true, close };
  return proxy;
}
