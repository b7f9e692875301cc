import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { ADMIN_PATHS, type Evidence, evidencePollSchema, type ShadowOrder } from '@slipway/crds/contract';
import { UNAUTHORIZED } from '../../container/bearer.ts';
import { http } from '../nodeHttp.ts';
import { requestErrorOf } from '../protocol/failure.ts';
import { BodyRooms } from '../protocol/parser/bodyRooms.ts';
import { RequestError } from '../requestError.ts';
import { BodyGate } from './bodyGate.ts';
import { jsonBody } from './jsonBody.ts';
import { Reading } from './reading.ts';
import { type Answer, errorAnswer, jsonAnswer, send, sendEarly } from './wire.ts';

export interface MetricsText {
  readonly text: string;
  readonly contentType: string;
}

export interface AdminDependencies {
  readonly ready: () => boolean;
  readonly metrics: () => Promise<MetricsText>;
  readonly evidence: () => Evidence;
  /** What the operator wants copied to a candidate from now on; null ends it. */
  readonly orderShadow: (order: ShadowOrder | null) => void;
  /** Whether an Authorization header may read the evidence; undefined where everybody may: a server of one's own. */
  readonly granted: ((authorization: string | undefined) => Promise<boolean>) | undefined;
  /** Told of every failure of ours. */
  readonly onFailure: (sentence: string, cause: unknown) => void;
}

interface AdminPath {
  readonly methods: readonly string[];
  readonly answer: (deps: AdminDependencies, request: IncomingMessage) => Answer | Promise<Answer>;
}

/** An order is a few hundred bytes. */
const LIMIT = 64 * 1024;
const RULES = { limit: LIMIT, gate: new BodyGate(LIMIT), rooms: new BodyRooms() };
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 } as const;

const text = (status: number, body: string, type = 'text/plain'): Answer => ({
  status,
  body,
  headers: ['content-type', type],
});

/** Probes and metrics are open to the cluster (a NetworkPolicy narrows that); evidence moves traffic, so it is not. */
const PATHS: ReadonlyMap<string, AdminPath> = new Map<string, AdminPath>([
  [ADMIN_PATHS.live, { methods: ['GET'], answer: () => text(200, 'ok') }],
  [
    ADMIN_PATHS.ready,
    { methods: ['GET'], answer: ({ ready }) => (ready() ? text(200, 'ok') : text(503, 'not ready')) },
  ],
  [
    ADMIN_PATHS.metrics,
    {
      methods: ['GET'],
      answer: async ({ metrics }) => {
        const { text: body, contentType } = await metrics();
        return text(200, body, contentType);
      },
    },
  ],
  [ADMIN_PATHS.evidence, { methods: ['GET', 'POST'], answer: answerEvidence }],
]);

export function createAdminServer(deps: AdminDependencies): Server {
  return http.createServer(TIMEOUTS, (request, response) => void serve(request, response, deps));
}

async function serve(request: IncomingMessage, response: ServerResponse, deps: AdminDependencies): Promise<void> {
  try {
    const answer = await pathOf(request).answer(deps, request);
    send(response, answer, [], false);
    request.resume();
  } catch (error) {
    const fault = requestErrorOf(error);
    if (fault.status === 500) deps.onFailure(fault.message, error);
    refuse(request, response, fault);
  }
}

function pathOf(request: IncomingMessage): AdminPath {
  const path = PATHS.get((request.url as string).split('?', 1)[0] as string);
  if (!path) throw new RequestError(404, 'There is nothing at this path.');
  const { methods } = path;
  if (methods.includes(request.method as string) || request.method === 'HEAD') return path;
  throw new RequestError(405, `Use ${methods.join(' or ')} here.`, { allow: methods.join(', ') });
}

/** GET reads the evidence; POST says what to shadow from now on, and reads it. */
async function answerEvidence(deps: AdminDependencies, request: IncomingMessage): Promise<Answer> {
  const { authorization } = request.headers;
  if (deps.granted && !(await deps.granted(authorization))) throw new RequestError(401, UNAUTHORIZED);
  if (request.method === 'POST') {
    const poll = jsonBody(await bodyOf(request), evidencePollSchema, '{"shadow": order or null}');
    deps.orderShadow(poll.shadow);
  }
  return jsonAnswer(deps.evidence());
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((received, refused) => {
    new Reading(request, RULES, { received, refused }).start(undefined);
    // A request also closes once it was read whole, while a packed body is still being unpacked.
    request.on('close', () => request.complete || refused(new RequestError(499, 'The caller went away.')));
  });
}

function refuse(request: IncomingMessage, response: ServerResponse, fault: RequestError): void {
  const rest = request.complete ? 0 : Number(request.headers['content-length'] ?? 0);
  const port = { limits: { maxBodyBytes: LIMIT }, phase: () => 'Serving' as const, unread: new WeakSet() } as const;
  sendEarly(request, response, errorAnswer(fault), [], rest, port);
}
