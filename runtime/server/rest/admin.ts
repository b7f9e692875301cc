import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  ADMIN_PATHS,
  type Baseline,
  ENV,
  type Evidence,
  evidencePollSchema,
  type PeersOrder,
  type SessionOrder,
  type ShadowOrder,
} from '@slipway/crds/contract';
import { UNAUTHORIZED } from '../../container/bearer.ts';
import { http } from '../nodeHttp.ts';
import { requestErrorOf } from '../protocol/failure.ts';
import { BodyRooms } from '../protocol/parser/bodyRooms.ts';
import { badRequest, RequestError } from '../requestError.ts';
import { BodyGate } from './bodyGate.ts';
import { jsonBody } from './jsonBody.ts';
import { NodeBody } from './nodeExchange.ts';
import { Reading } from './reading.ts';
import { transferFault } from './transferCoding.ts';
import { type Answer, errorAnswer, jsonAnswer, packedAnswer, packingOf, send, sendEarly } from './wire.ts';

export interface MetricsText {
  readonly text: string;
  readonly contentType: string;
}

/** Of ?model=<name>&version=<version>: needed where a server has several. */
export interface AskedModel {
  readonly model: string | undefined;
  readonly version: string | undefined;
}

export interface AdminDependencies {
  readonly ready: () => boolean;
  readonly metrics: () => Promise<MetricsText>;
  /** Throws RequestError where there is no such model, or several and none named; so do the two that follow. */
  readonly evidence: (asked: AskedModel) => Evidence;
  /** What is to be copied to a candidate from now on; null ends it. */
  readonly orderShadow: (order: ShadowOrder | null, asked: AskedModel) => void;
  /** Whose requests are to be passed on to the other version; null ends it. */
  readonly orderSession: (order: SessionOrder | null) => void;
  /** Who else may remember the request of a label; null: nobody is known. */
  readonly orderPeers: (order: PeersOrder | null) => void;
  /** Whether an Authorization header may read the evidence and the baseline. Undefined: there is no token, so nobody may. */
  readonly granted: ((authorization: string | undefined) => Promise<boolean>) | undefined;
  /** What a model saw in training. Throws RequestError where there is nothing to give. */
  readonly baseline: (asked: AskedModel) => Baseline;
  /** Told of every failure of ours. */
  readonly onFailure: (sentence: string, cause: unknown) => void;
}

interface AdminPath {
  readonly methods: readonly string[];
  readonly answer: (deps: AdminDependencies, request: IncomingMessage) => Answer | Promise<Answer>;
}

const NO_TOKEN = `This server has no admin token, so nobody may read this: name a file with one in ${ENV.adminTokenFile}.`;

/** An order is a few hundred bytes. */
const LIMIT = 64 * 1024;
const RULES = { limit: LIMIT, gate: new BodyGate(LIMIT), rooms: new BodyRooms() };
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 } as const;

const text = (status: number, body: string, type = 'text/plain'): Answer => ({
  status,
  body,
  headers: ['content-type', type],
});

/**
 * Probes and metrics are open to the cluster (a NetworkPolicy narrows that). Evidence moves traffic and a baseline tells
 * of training data, so these are not.
 */
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
  [ADMIN_PATHS.baseline, { methods: ['GET'], answer: answerBaseline }],
]);

export function createAdminServer(deps: AdminDependencies): Server {
  return http.createServer(TIMEOUTS, (request, response) => void serve(request, response, deps));
}

async function serve(request: IncomingMessage, response: ServerResponse, deps: AdminDependencies): Promise<void> {
  try {
    const garbled = transferFault(request);
    if (garbled) throw garbled;
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

/** GET reads the evidence; POST says what to shadow and whom to pass on from now on, and reads it. */
async function answerEvidence(deps: AdminDependencies, request: IncomingMessage): Promise<Answer> {
  await mustBeGranted(deps, request);
  const asked = askedModel(request);
  if (request.method === 'POST') {
    const poll = jsonBody(
      await bodyOf(request),
      evidencePollSchema,
      '{"shadow": order or null, "session": order or null, "peers": order or null}',
    );
    if (poll.shadow !== undefined) deps.orderShadow(poll.shadow, asked);
    if (poll.session !== undefined) deps.orderSession(poll.session);
    if (poll.peers !== undefined) deps.orderPeers(poll.peers);
  }
  return jsonAnswer(deps.evidence(asked));
}

/** Up to a megabyte of counts, which packing makes a tenth of. */
async function answerBaseline(deps: AdminDependencies, request: IncomingMessage): Promise<Answer> {
  await mustBeGranted(deps, request);
  const answer = jsonAnswer(deps.baseline(askedModel(request)));
  const packing = packingOf(request.headers, answer);
  return packing ? packedAnswer(answer, packing) : answer;
}

/** A misspelt name would give the evidence of another model than was meant. */
function askedModel({ url }: IncomingMessage): AskedModel {
  const query = new URLSearchParams((url as string).split('?').slice(1).join('?'));
  const stranger = [...query.keys()].find(
    (name, i, all) => !['model', 'version'].includes(name) || all.indexOf(name) < i,
  );
  if (stranger === undefined)
    return { model: query.get('model') ?? undefined, version: query.get('version') ?? undefined };
  throw badRequest(`Ask by ?model=<name>&version=<version>, each once, and not by "${stranger.slice(0, 40)}".`);
}

async function mustBeGranted({ granted }: AdminDependencies, { headers }: IncomingMessage): Promise<void> {
  if (!granted) throw new RequestError(401, NO_TOKEN);
  if (!(await granted(headers.authorization))) throw new RequestError(401, UNAUTHORIZED);
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((received, refused) => {
    new Reading(new NodeBody(request), RULES, { received, refused }).start();
    // A request also closes once it was read whole, while a packed body is still being unpacked.
    request.on('close', () => request.complete || refused(new RequestError(499, 'The caller went away.')));
  });
}

function refuse(request: IncomingMessage, response: ServerResponse, fault: RequestError): void {
  const { headers } = request;
  const announced = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
  const rest = request.complete ? 0 : announced;
  const port = { limits: { maxBodyBytes: LIMIT }, phase: () => 'Serving' as const, unread: new WeakSet() } as const;
  sendEarly(request, response, errorAnswer(fault), [], rest, port);
}
