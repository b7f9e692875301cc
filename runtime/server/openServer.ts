import { Worker } from 'node:worker_threads';
import { openAccess } from './access/open.ts';
import { AdminToken } from './adminToken.ts';
import { RUNTIME_VERSION, type ServerConfig } from './config.ts';
import { Refusals } from './evidence/refusals.ts';
import { createGrpcServer } from './grpc/grpcServer.ts';
import type { LeavingPort } from './leave.ts';
import type { Lifecycle } from './lifecycle.ts';
import { listen } from './listen.ts';
import type { Log } from './log.ts';
import type { Repository } from './models/repository.ts';
import { isShadowPass } from './observe/shadow/pass.ts';
import type { Observing } from './observing.ts';
import { openAdmin } from './openAdmin.ts';
import { ParserThreads } from './protocol/parser/parserThreads.ts';
import { BodyGate } from './rest/bodyGate.ts';
import { drain } from './rest/drain.ts';
import { createRestServer } from './rest/restServer.ts';
import { seldom } from './seldom.ts';

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
const MOST_COMPLAINTS_EVERY_MS = 1000;

/** All ports open before a model is loaded: a probe must tell a slow start from a dead process. Throws Failure. */
export async function openServer(parts: ServerParts): Promise<OpenServer> {
  const { config, log, lifecycle, repository } = parts;
  const { serving } = config.settings;
  const elapsed = () => performance.now();
  const complain = (sentence: string, cause: unknown) => log.error({ cause }, sentence);
  const onFailure = seldom(complain, MOST_COMPLAINTS_EVERY_MS, elapsed);
  const access = await openAccess(serving, { now: elapsed, onFailure: (sentence) => log.error({}, sentence) });
  const reader = new ParserThreads(() => new Worker(parts.parser));
  const token = new AdminToken(config.adminTokenFile, elapsed);
  const refusals = new Refusals();
  const identity = config.source.kind === 'Artifact' ? config.source.identity : undefined;
  const ready = () => lifecycle.phase === 'Serving' && repository.healthy;
  const deps = {
    repository,
    access: access.access,
    certificate: access.certificate,
    limits: serving.limits,
    phase: () => lifecycle.phase,
    ready,
    identity,
    version: RUNTIME_VERSION,
    elapsed,
    now: Date.now,
    onFailure,
    reader,
    refusals,
    gate: new BodyGate(serving.limits.maxBodiesBytes),
    admitsCopy: (order: string, authorization: string) => isShadowPass(token.value, order, authorization),
  };
  const rest = createRestServer(deps);
  const grpc = createGrpcServer(deps);
  const ports: readonly LeavingPort[] = [
    {
      get inFlight() {
        return rest.inFlight;
      },
      drain: (leaving) => drain(rest.server, leaving),
    },
    grpc,
  ];
  const state = () => ({
    ready: ready(),
    draining: lifecycle.phase === 'Draining',
    inFlight: rest.inFlight + grpc.inFlight,
  });
  const admin = openAdmin({ ...parts, refusals, token, identity, state, onFailure });
  const listening = {
    admin: await listen(admin, config.adminPort),
    rest: await listen(rest.server, config.restPort),
    grpc: await listen(grpc.server, config.grpcPort),
  };
  log.info(listening, 'listening');
  return {
    ports,
    close: async () => {
      admin.close();
      admin.closeAllConnections();
      access.close();
      await reader.close();
    },
  };
}
