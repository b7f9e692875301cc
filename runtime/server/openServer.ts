import { Worker } from 'node:worker_threads';
import { FEEDBACK_PATH, REQUEST_HEADERS } from '@slipway/crds/contract';
import { type OpenedAccess, openAccess } from './access/open.ts';
import { AdminToken } from './adminToken.ts';
import { RUNTIME_VERSION, type ServerConfig } from './config.ts';
import { Refusals } from './evidence/refusals.ts';
import { createGrpcServer } from './grpc/grpcServer.ts';
import type { LeavingPort } from './leave.ts';
import type { Lifecycle } from './lifecycle.ts';
import { listen } from './listen.ts';
import type { Log } from './log.ts';
import type { Repository } from './models/repository.ts';
import { isShadowPass, shadowPass } from './observe/shadow/pass.ts';
import type { Observing } from './observing.ts';
import { openAdmin } from './openAdmin.ts';
import { ParserThreads } from './protocol/parser/parserThreads.ts';
import { BodyGate } from './rest/bodyGate.ts';
import { drain } from './rest/drain.ts';
import { createRestServer, type RestServer } from './rest/restServer.ts';
import { seldom } from './seldom.ts';
import { FEEDBACK, Peers } from './sessions/peers.ts';
import { Sessions } from './sessions/sessions.ts';

export interface ServerParts {
  readonly config: ServerConfig;
  readonly lifecycle: Lifecycle;
  readonly repository: Repository;
  readonly observing: Observing;
  /** The module that a parser thread starts from. */
  readonly parser: URL;
  readonly epoch: string;
  readonly log: Log;
}

export interface OpenServer {
  /** Those that callers ask; the admin port answers to the end. */
  readonly ports: readonly LeavingPort[];
  close(): Promise<void>;
}

/** A fault of each request must not turn the log into the slowest part of the server. */
const COMPLAIN_EVERY_MS = 1000;

/** All ports open before a model is loaded: a probe must tell a slow start from a dead process. Throws Failure. */
export async function openServer(parts: ServerParts): Promise<OpenServer> {
  const { config, log, lifecycle } = parts;
  const onFailure = seldom(
    (sentence: string, cause: unknown) => log.error({ cause }, sentence),
    COMPLAIN_EVERY_MS,
    elapsed,
  );
  const complain = (sentence: string) => log.error({}, sentence);
  const access = await openAccess(config.settings.serving, { now: elapsed, onFailure: complain });
  const reader = new ParserThreads(() => new Worker(parts.parser));
  const token = new AdminToken(config.adminTokenFile, elapsed);
  const sessions = new Sessions(elapsed);
  const peers = new Peers({ path: FEEDBACK_PATH, now: elapsed, pass: () => passOf(token) });
  const deps = { ...dependencies(parts, token), ...pick(access), reader, sessions, peers, onFailure };
  const rest = createRestServer({ ...deps, fastLane: config.settings.serving.fastLane === 'Auto' });
  const grpc = createGrpcServer(deps);
  const state = () => ({
    ready: deps.ready(),
    draining: lifecycle.phase === 'Draining',
    inFlight: rest.inFlight + grpc.inFlight,
  });
  const { refusals, identity, phase } = deps;
  const admin = openAdmin({ ...parts, refusals, sessions, peers, token, identity, phase, state, onFailure });
  const listening = {
    admin: await listen(admin, config.adminPort),
    rest: await listen(rest.server, config.restPort),
    grpc: await listen(grpc.server, config.grpcPort),
  };
  log.info(listening, 'listening');
  return {
    ports: [leaving(rest), grpc],
    close: async () => {
      admin.close();
      admin.closeAllConnections();
      access.close();
      sessions.close();
      peers.close();
      await reader.close();
    },
  };
}

/** The pods of a service let each other in by the token that they share, as they do for copies. */
const passOf = ({ value }: AdminToken): Readonly<Record<string, string>> =>
  value === '' ? {} : { [REQUEST_HEADERS.shadow]: FEEDBACK, [REQUEST_HEADERS.apiKey]: shadowPass(value, FEEDBACK) };

const elapsed = () => performance.now();

const pick = ({ access, certificate }: OpenedAccess) => ({ access, certificate });

/** What both ports are made of. */
function dependencies({ config, lifecycle, repository }: ServerParts, token: AdminToken) {
  const { limits } = config.settings.serving;
  return {
    repository,
    limits,
    phase: () => lifecycle.phase,
    /** A promise to take new traffic: proven, not leaving, and with something to run on. */
    ready: () => lifecycle.phase === 'Serving' && repository.healthy,
    identity: config.source.kind === 'Artifact' ? config.source.identity : undefined,
    version: RUNTIME_VERSION,
    elapsed,
    now: Date.now,
    refusals: new Refusals(),
    gate: new BodyGate(limits.maxBodiesBytes),
    admitsCopy: (order: string, authorization: string) => isShadowPass(token.value, order, authorization),
  };
}

const leaving = (rest: RestServer): LeavingPort => ({
  get inFlight() {
    return rest.inFlight;
  },
  drain: (how) => drain(rest.server, how),
});
