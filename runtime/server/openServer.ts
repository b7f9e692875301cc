import type { Server } from 'node:http';
import { bearerGate } from '../container/bearer.ts';
import { openAccess } from './access/open.ts';
import { RUNTIME_VERSION, type ServerConfig } from './config.ts';
import { evidenceReport } from './evidenceReport.ts';
import type { LeavingPort } from './leave.ts';
import type { Lifecycle } from './lifecycle.ts';
import { listen } from './listen.ts';
import type { Log } from './log.ts';
import type { Repository } from './models/repository.ts';
import type { Observing } from './observing.ts';
import { createAdminServer } from './rest/admin.ts';
import type { RestDependencies } from './rest/dependencies.ts';
import { drain } from './rest/drain.ts';
import { createRestServer } from './rest/restServer.ts';
import { seldom } from './seldom.ts';

export interface ServerParts {
  readonly config: ServerConfig;
  readonly lifecycle: Lifecycle;
  readonly repository: Repository;
  readonly observing: Observing;
  readonly epoch: string;
  readonly log: Log;
}

export interface OpenServer {
  /** Those that callers ask; the admin port answers to the end. */
  readonly ports: readonly LeavingPort[];
  close(): void;
}

/** A fault of each request must not turn the log into the slowest part of the server. */
const MOST_COMPLAINTS_EVERY_MS = 1000;

/** All ports open before a model is loaded: a probe must tell a slow start from a dead process. Throws Failure. */
export async function openServer(parts: ServerParts): Promise<OpenServer> {
  const { config, log } = parts;
  const { serving } = config.settings;
  const elapsed = () => performance.now();
  const onFailure = seldom(
    (sentence: string, cause: unknown) => log.error({ cause }, sentence),
    MOST_COMPLAINTS_EVERY_MS,
    elapsed,
  );
  const { access, certificate, close } = await openAccess(serving, {
    now: elapsed,
    onFailure: (s) => log.error({}, s),
  });
  const deps: RestDependencies = {
    repository: parts.repository,
    access,
    certificate,
    limits: serving.limits,
    phase: () => parts.lifecycle.phase,
    ready: readiness(parts),
    identity: config.source.kind === 'Artifact' ? config.source.identity : undefined,
    version: RUNTIME_VERSION,
    elapsed,
    now: Date.now,
    onFailure,
  };
  const rest = createRestServer(deps);
  const ports = [asPort(rest.server, rest)];
  const inFlight = () => ports.reduce((sum, port) => sum + port.inFlight, 0);
  const admin = adminServer(parts, deps, inFlight);
  log.info(
    { rest: await listen(rest.server, config.restPort), admin: await listen(admin, config.adminPort) },
    'listening',
  );
  return {
    ports,
    close: () => {
      admin.close();
      admin.closeAllConnections();
      close();
    },
  };
}

const asPort = (server: Server, counter: { readonly inFlight: number }): LeavingPort => ({
  get inFlight() {
    return counter.inFlight;
  },
  drain: (leaving) => drain(server, leaving),
});

/** Ready is a promise to take new traffic: proven, not leaving, and with something to run on. */
const readiness =
  ({ lifecycle, repository }: ServerParts) =>
  (): boolean =>
    lifecycle.phase === 'Serving' && repository.healthy;

function adminServer(parts: ServerParts, deps: RestDependencies, inFlight: () => number): Server {
  const { config, lifecycle, repository, observing, epoch } = parts;
  const model = () => repository.find(deps.identity?.name ?? repository.names()[0] ?? '');
  const { adminTokenFile } = config;
  return createAdminServer({
    ready: deps.ready,
    metrics: async () => ({ text: '', contentType: 'text/plain' }),
    evidence: evidenceReport({
      identity: deps.identity,
      model,
      observation: observing.of,
      state: () => ({ ready: deps.ready(), draining: lifecycle.phase === 'Draining', inFlight: inFlight() }),
      startedAt: new Date(),
      epoch,
      now: () => new Date(),
    }),
    orderShadow: (order) => {
      const served = model();
      if (served) observing.of(served.identity)?.orderShadow(order);
    },
    granted: adminTokenFile === undefined ? async () => false : bearerGate(adminTokenFile),
    onFailure: deps.onFailure,
  });
}
