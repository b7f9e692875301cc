import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ENV } from '@slipway/crds/contract';
import { type Logger, pino } from 'pino';
import { Failure, sentenceOf, TERMINATION_LOG, writeTermination } from '../artifact/failure.ts';
import { hashArtifact } from '../artifact/hash.ts';
import { bearerGate } from '../container/bearer.ts';
import type { Environment } from '../container/environment.ts';
import { createAdminServer } from './admin.ts';
import { type ServerConfig, serverConfig } from './config.ts';
import { availableCores } from './cores.ts';
import { drain } from './drain.ts';
import type { Engine } from './engine.ts';
import { EvidenceLedger } from './evidence.ts';
import { Lifecycle } from './lifecycle.ts';
import { serverMetrics } from './metrics.ts';
import { readModelDirectory } from './modelDirectory.ts';
import { createRestServer, isReady, type RestDependencies } from './rest.ts';
import { seldom } from './seldom.ts';
import { WorkerPool } from './workerPool.ts';

/**
 * The server process, from environment to exit. `entry` is the module that engine threads start from. A Failure ends
 * it with exit code 1 and the termination message; SIGTERM drains and ends it with 0.
 */
export async function serve(env: Environment, entry: URL): Promise<void> {
  const log = pino({ base: null });
  try {
    await run(serverConfig(env, await availableCores()), entry, log);
  } catch (error) {
    if (!(error instanceof Failure)) throw error; // a bug of ours: it ends the process with its stack
    log.fatal({ reason: error.reason }, error.message);
    await writeTermination(env[ENV.terminationLog] ?? TERMINATION_LOG, error);
    process.exit(1);
  }
}

async function run(config: ServerConfig, entry: URL, log: Logger): Promise<void> {
  const lifecycle = new Lifecycle();
  let engine: Engine | undefined;
  const terminated = new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
  const { rest, admin } = await openPorts(config, lifecycle, () => engine, log);
  engine = await proveModel(config, entry, log);
  lifecycle.serve();
  log.info({ model: config.model, workers: config.workers, threads: config.threads }, 'ready');
  await terminated;
  log.info({ drainMs: config.drainMs }, 'draining');
  await drain(lifecycle, rest, config.drainMs);
  await engine.close();
  admin.close();
  admin.closeAllConnections();
  log.info('drained');
}

/** Both ports open before the model is loaded: a probe must tell a slow start from a dead process. */
async function openPorts(config: ServerConfig, lifecycle: Lifecycle, engine: () => Engine | undefined, log: Logger) {
  const { model } = config;
  const ledger = new EvidenceLedger(model, randomUUID(), new Date());
  const metrics = serverMetrics(model, () => lifecycle.inFlight);
  const record: RestDependencies['record'] = (outcome, latencyMs) => {
    ledger.record(outcome, latencyMs, new Date());
    metrics.record(outcome, latencyMs);
  };
  const onFailure = seldom((sentence: string, cause: unknown) => log.error({ cause }, sentence), 1000, Date.now);
  const elapsed = () => performance.now();
  const ready = () => isReady(lifecycle, engine());
  const rest = createRestServer({ ...config, lifecycle, engine, elapsed, record, onFailure });
  const admin = createAdminServer({
    ready,
    registry: metrics.registry,
    granted: bearerGate(config.adminTokenFile),
    evidence: () =>
      ledger.read(
        { ready: ready(), draining: lifecycle.phase === 'Draining', inFlight: lifecycle.inFlight },
        new Date(),
      ),
  });
  log.info({ rest: await listen(rest, config.restPort), admin: await listen(admin, config.adminPort) }, 'listening');
  return { rest, admin };
}

function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', (error) =>
    reject(new Failure('ConfigurationInvalid', `Port ${port} cannot be opened: ${sentenceOf(error)}.`)),
  );
  server.listen(port, () => resolve((server.address() as AddressInfo).port));
  return promise;
}

/** Nothing is loaded that was not hashed, and nothing is served that did not answer its golden requests. */
async function proveModel(config: ServerConfig, entry: URL, log: Logger): Promise<Engine> {
  const { digest, files, bytes } = await hashArtifact(config.artifactDir);
  if (digest !== config.model.digest) {
    throw new Failure('DigestMismatch', `The artifact has digest ${digest}, ${config.model.digest} was asked for.`);
  }
  log.info({ digest, files, bytes }, 'digest verified');
  const model = await readModelDirectory(config.artifactDir);
  if (model.golden.length === 0) log.warn('the model has no golden requests: its answers here are not proven');
  const { workers, threads, maxQueue } = config;
  const onLoss = (err: unknown) => log.error({ err }, 'lost an engine thread');
  return WorkerPool.start({ entry, model: { files: model, threads }, workers, maxQueue, replaceAfterMs: 1000, onLoss });
}
