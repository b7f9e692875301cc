import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { secureOptions } from '../access/tls.ts';
import { http, https } from '../nodeHttp.ts';
import type { PortLimits } from '../portDependencies.ts';
import { inferJson } from '../protocol/infer.ts';
import { BodyRooms } from '../protocol/parser/bodyRooms.ts';
import { predict } from '../protocol/v1/predict.ts';
import { Roster } from '../roster.ts';
import { BodyGate, LOOK_EVERY_MS } from './bodyGate.ts';
import type { Call, CallContext, Readers } from './call.ts';
import type { RestDependencies } from './dependencies.ts';
import { AnswerHeads } from './lane/answerHead.ts';
import { Lane } from './lane/lane.ts';
import { LaneServer } from './lane/laneServer.ts';
import { BROKEN, breakOff, refuseMalformed } from './malformed.ts';
import { Switchboard } from './switchboard.ts';
import { UnreadAnswers } from './unreadAnswers.ts';

export interface RestServer {
  /** Not listening yet. */
  readonly server: Server;
  /** Requests with a body that have arrived and are not answered. */
  readonly inFlight: number;
}

const READERS: Readers = { infer: inferJson, predict };

/** Longer than the idle time of common proxies: the side that closes an idle connection must be the client's. */
const KEEP_ALIVE_MS = 75_000;
/** Answers that wait to be read may take as much memory as bodies that come, so many times. */
const MOST_UNREAD = 8;
/** How often late callers are looked for: a bound that is kept to the second is kept. */
const MOST_SWEEP_MS = 1000;

/** The REST port: Open Inference Protocol with Triton's extensions, V1, and our own paths. */
export function createRestServer(deps: RestDependencies, readers: Readers = READERS): RestServer {
  const { limits } = deps;
  const gate = deps.gate ?? new BodyGate(limits.maxBodiesBytes);
  const bodies = { limit: limits.maxBodyBytes, gate, rooms: new BodyRooms() };
  const open = new Roster<Call>();
  const context: CallContext = { ...deps, readers, bodies, open, unread: new WeakSet() };
  const switchboard = new Switchboard(context);
  const { server, lane } = serverOf(context, switchboard);
  server.on('checkContinue', (request, response) => switchboard.answer(request, response, true));
  // Node's own refusal has no words in it. A server may pass an expectation over (RFC 9110 §10.1.1).
  server.on('checkExpectation', (request, response) => switchboard.answer(request, response, false));
  server.on('drop', () => deps.onFailure(`More than ${limits.maxConnections} connections: one was closed.`, undefined));
  server.maxConnections = limits.maxConnections;
  server.timeout = longestSilence(limits);
  refuseMalformed(server, context);
  const sweep = setInterval(() => failOverdue(open), sweepMs(limits.requestTimeoutMs)).unref();
  const laneSweep = lane && setInterval(() => lane.sweep(), inputSweepMs(limits)).unref();
  const unread = new UnreadAnswers(MOST_UNREAD * limits.maxBodiesBytes);
  server.on(deps.certificate ? 'secureConnection' : 'connection', (socket: Socket) => unread.watch(socket));
  const look = setInterval(() => {
    gate.look();
    unread.look();
  }, LOOK_EVERY_MS).unref();
  server.on('close', () => {
    clearInterval(sweep);
    clearInterval(look);
    clearInterval(laneSweep);
  });
  return {
    server,
    get inFlight() {
      return open.size;
    },
  };
}

/** TLS is no matter of the lane: to decrypt takes more time than it could save. */
function serverOf(context: CallContext, switchboard: Switchboard): { server: Server; lane?: Lane } {
  const { certificate, limits, fastLane = true } = context;
  const options = serverOptions(limits);
  const answer = (request: IncomingMessage, response: ServerResponse) => switchboard.answer(request, response, false);
  if (!certificate && !fastLane) return { server: http.createServer(options, answer) };
  if (!certificate) return laneServerOf(options, answer, context, switchboard);
  const server = https.createServer({ ...options, ...secureOptions(certificate.pair) }, answer);
  certificate.follow(server);
  return { server };
}

/** Larger bodies are read by node:http, which takes no longer for them than it takes to read their numbers. */
const MOST_LANE_BODY = 64 * 1024;

function laneServerOf(
  options: ServerOptions,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  context: CallContext,
  switchboard: Switchboard,
): { server: Server; lane: Lane } {
  const { limits, now, phase } = context;
  const server = new LaneServer(options, answer);
  const lane = new Lane(
    {
      heads: new AnswerHeads(now, KEEP_ALIVE_MS),
      mostHeadBytes: limits.maxHeaderBytes,
      silenceMs: longestSilence(limits),
      mostBodyBytes: Math.min(MOST_LANE_BODY, limits.maxBodyBytes),
      leaving: () => phase() === 'Draining',
      answer: (target, exchange) => switchboard.answerPlain(target, exchange),
      breakOff: (socket, why) => breakOff(BROKEN[why], socket, context),
    },
    {
      sweepMs: inputSweepMs(limits),
      keepAliveMs: KEEP_ALIVE_MS,
      bodyMs: limits.bodyTimeoutMs,
    },
    (socket) => server.adopt(socket),
  );
  server.putInFront(lane);
  return { server, lane };
}

const serverOptions = (limits: PortLimits): ServerOptions => ({
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: Math.min(limits.headersTimeoutMs, limits.bodyTimeoutMs),
  requestTimeout: limits.bodyTimeoutMs,
  connectionsCheckingInterval: inputSweepMs(limits),
  maxHeaderSize: limits.maxHeaderBytes,
  requireHostHeader: false, // ours is told in the protocol's form
  noDelay: true,
});

const inputSweepMs = ({ headersTimeoutMs, bodyTimeoutMs }: PortLimits): number =>
  sweepMs(Math.min(headersTimeoutMs, bodyTimeoutMs));

const sweepMs = (boundMs: number): number => Math.max(1, Math.min(MOST_SWEEP_MS, Math.ceil(boundMs / 10)));

/** A connection on which nothing moves for longer than any answer may take: its caller does not read. */
const longestSilence = ({ requestTimeoutMs, bodyTimeoutMs }: PortLimits): number =>
  requestTimeoutMs + bodyTimeoutMs + 2 * MOST_SWEEP_MS;

function failOverdue(open: Iterable<Call>): void {
  for (const call of open) call.failIfOverdue();
}
