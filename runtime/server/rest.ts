import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RESPONSE_HEADERS } from '@slipway/crds/contract';
import { CallerGone, readBody } from './body.ts';
import { type ModelIdentity, RUNTIME_VERSION } from './config.ts';
import type { Engine } from './engine.ts';
import { outcomeOf, type RequestOutcome } from './evidence.ts';
import { infer, RETRY_SOON } from './inference.ts';
import type { Lifecycle } from './lifecycle.ts';
import { RequestError } from './requestError.ts';
import { type Route, type RouteName, routeOf } from './routes.ts';

export interface RestDependencies {
  readonly model: ModelIdentity;
  readonly lifecycle: Lifecycle;
  /** The engine, once the model is proven; undefined before. */
  readonly engine: () => Engine | undefined;
  readonly maxBodyBytes: number;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
  /** Called once for each answered model request. */
  readonly record: (outcome: RequestOutcome, latencyMs: number) => void;
  /** Told about every 5xx: `cause` is what the answer does not say. */
  readonly onFailure: (sentence: string, cause: unknown) => void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longer than the idle time of common proxies: the side that closes an idle connection must be the client's. */
const TIMEOUTS = { keepAliveTimeout: 75_000, headersTimeout: 80_000, requestTimeout: 120_000 } as const;

/** The Open Inference Protocol port: JSON in, JSON out, model version and digest on every answer, errors too. */
export function createRestServer(deps: RestDependencies): Server {
  const server = createServer(TIMEOUTS, (request, response) => void serve(request, response, deps));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuseMalformed(error, socket, deps.model),
  );
  return server;
}

async function serve(request: IncomingMessage, response: ServerResponse, deps: RestDependencies): Promise<void> {
  const route = routeOf(request.method ?? '', request.url ?? '', deps.model);
  if (route?.name === 'infer') return serveInfer(request, response, route, deps);
  request.resume();
  send(response, await answerOf(() => describe(route, deps), deps), deps);
}

async function serveInfer(request: IncomingMessage, response: ServerResponse, route: Route, deps: RestDependencies) {
  deps.lifecycle.inFlight += 1;
  try {
    let receivedAt = deps.elapsed();
    const answer = await answerOf(async () => {
      const body = await bodyOf(request, route, deps);
      receivedAt = deps.elapsed();
      return { status: 200, body: await infer(body, provenEngine(deps), deps.model) };
    }, deps);
    deps.record(outcomeOf(answer.status), deps.elapsed() - receivedAt);
    send(response, answer, deps);
  } catch (error) {
    if (!(error instanceof CallerGone)) throw error;
  } finally {
    deps.lifecycle.inFlight -= 1;
  }
}

async function bodyOf(request: IncomingMessage, route: Route, deps: RestDependencies): Promise<string> {
  const fault = route.fault ?? encodingFault(request);
  if (fault) {
    request.resume();
    throw fault;
  }
  return (await readBody(request, deps.maxBodyBytes)).toString('utf8');
}

function encodingFault({ headers }: IncomingMessage): RequestError | undefined {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return new RequestError(415, `Send the body as it is, not ${encoding}-encoded.`);
  if (headers['inference-header-content-length'] === undefined) return undefined;
  return new RequestError(415, 'Binary tensors are not served; send the tensors as JSON "data".');
}

function provenEngine({ engine, lifecycle }: RestDependencies): Engine {
  const proven = lifecycle.phase === 'Starting' ? undefined : engine();
  if (proven) return proven;
  throw new RequestError(503, 'The model is not loaded yet.', RETRY_SOON);
}

/** Turns what was thrown into an answer; only CallerGone passes. A bug of ours is a 500 that keeps its stack here. */
async function answerOf(work: () => Answer | Promise<Answer>, deps: RestDependencies): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CallerGone) throw error;
    const fault = error instanceof RequestError ? error : new RequestError(500, 'The server failed on this request.');
    if (fault.status === 500) deps.onFailure(fault.message, error);
    return { status: fault.status, body: JSON.stringify({ error: fault.message }), headers: fault.headers };
  }
}

const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });

/** Both keys on both health paths: the protocol's text and its clients disagree on which belongs where. */
const health = (live: boolean, ready: boolean, ok: boolean): Answer =>
  ok ? json(200, { live, ready }) : json(503, { live, ready, error: 'The server is not ready.' });

type Description = (deps: RestDependencies, ready: boolean) => Answer;

const DESCRIPTIONS: Readonly<Record<Exclude<RouteName, 'infer'>, Description>> = {
  serverMetadata: () => json(200, { name: 'slipway', version: RUNTIME_VERSION, extensions: [] }),
  serverLive: (_deps, ready) => health(true, ready, true),
  serverReady: (_deps, ready) => health(true, ready, ready),
  modelReady: ({ model }, ready) => json(ready ? 200 : 503, { name: model.name, ready }),
  modelMetadata: (deps) => {
    const { inputs, outputs } = provenEngine(deps).signature;
    const { name, version } = deps.model;
    return json(200, { name, versions: [version], platform: 'onnxruntime_onnx', inputs, outputs });
  },
};

function describe(route: Route | undefined, deps: RestDependencies): Answer {
  if (!route || route.name === 'infer') {
    throw new RequestError(404, 'There is nothing at this path; the Open Inference Protocol starts at /v2.');
  }
  if (route.fault) throw route.fault;
  return DESCRIPTIONS[route.name](deps, isReady(deps.lifecycle, deps.engine()));
}

/** Ready is a promise to take new traffic: proven, not leaving, and with a thread to run it. */
export const isReady = (lifecycle: Lifecycle, engine: Engine | undefined): boolean =>
  lifecycle.phase === 'Serving' && engine?.healthy === true;

const identityHeaders = ({ version, digest }: ModelIdentity) => ({
  [RESPONSE_HEADERS.version]: version,
  [RESPONSE_HEADERS.digest]: digest,
});

function send(
  response: ServerResponse,
  { status, body, headers }: Answer,
  { model, lifecycle }: RestDependencies,
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...identityHeaders(model),
    ...headers,
    ...(lifecycle.phase === 'Draining' ? { connection: 'close' } : {}),
  });
  response.end(body);
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket, model: ModelIdentity): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const body = JSON.stringify({ error: 'This is not a valid HTTP request.' });
  const headers = Object.entries({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...identityHeaders(model),
  }).map(([name, value]) => `${name}: ${value}`);
  socket.end(['HTTP/1.1 400 Bad Request', ...headers, '', body].join('\r\n'));
}
