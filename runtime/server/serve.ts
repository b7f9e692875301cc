import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, writeTermination } from '../artifact/failure.ts';
import type { Environment } from '../container/environment.ts';
import { type ServerConfig, serverConfig, terminationLogOf } from './config.ts';
import { availableCores } from './engine/cores.ts';
import { endNow } from './engine/endProcess.ts';
import { leave } from './leave.ts';
import { Lifecycle } from './lifecycle.ts';
import { type Logs, openLogs } from './log.ts';
import { startObserving } from './observing.ts';
import { openRepository } from './openRepository.ts';
import { openServer } from './openServer.ts';
import { firstStopSignal } from './stopSignals.ts';

/** Of the grace period, for what is written at the very end: samples, traces, the log. The last of it is a margin. */
const LAST_WORDS_MS = 750;
const MARGIN_MS = 250;

/** What the process was started with. */
export interface Program {
  readonly env: Environment;
  /** Arguments without those of Node. */
  readonly args: readonly string[];
  /** Modules that processes and threads of ours start from. */
  readonly child: URL;
  readonly watcher: URL;
  readonly parser: URL;
}

/** As a shell tells of a process that a signal ended. */
const TERMINATED = 143;

/**
 * The server process, from environment to exit. A Failure ends it with exit code 1 and the termination message;
 * SIGTERM drains and ends it with 0, a second one at once.
 */
export async function serve(program: Program): Promise<void> {
  const logs = openLogs(process.stdout);
  const log = logs.own;
  try {
    const quiet = await run(await serverConfig(program.env, program.args), program, logs);
    if (quiet) process.exit(0);
    endNow(0);
  } catch (error) {
    if (!(error instanceof Failure)) throw error; // a bug of ours: it ends the process with its stack
    log.fatal({ reason: error.reason }, error.message);
    const lastWords = terminationLogOf(program.env);
    if (lastWords !== undefined) await writeTermination(lastWords, error);
    endNow(1);
  }
}

/** Serves until it is told to stop. Answers whether nothing of it runs any more. */
async function run(config: ServerConfig, { child, watcher, parser }: Program, logs: Logs): Promise<boolean> {
  const log = logs.own;
  const stopped = firstStopSignal(process, () => endNow(TERMINATED));
  const lifecycle = new Lifecycle();
  const observing = startObserving(config.settings.serving, watcher, logs.busy);
  const cores = await availableCores();
  const { observe } = observing;
  const repository = openRepository(config, { cores: cores.count, child: { file: child }, log, observe });
  const server = await openServer({ config, lifecycle, repository, observing, parser, epoch: randomUUID(), log });
  const loaded = repository.start().then(() => 'loaded' as const);
  if ((await Promise.race([loaded, stopped])) !== 'loaded') return false; // nobody was told to send anything here
  lifecycle.serve();
  log.info({ models: repository.names(), cores: cores.count, because: cores.why }, 'ready');
  const drainMs = (await stopped) === 'SIGINT' ? 0 : config.drainMs;
  const killedAt = performance.now() + config.graceMs;
  log.info({ drainMs }, 'draining');
  const lost = await leave({ lifecycle, ports: server.ports, drainMs, graceMs: config.graceMs, pause });
  if (lost > 0) log.error({ lost }, 'the grace period was too short for some requests');
  // Neither a model that is still being loaded by a caller's order nor a run that hangs is worth the last words.
  const closed = repository.close().then(() => true);
  const left = (marginMs: number) => pause(Math.max(0, killedAt - performance.now() - marginMs)).then(() => false);
  const quiet = await Promise.race([closed, left(LAST_WORDS_MS)]);
  // Runs that hang may hold every thread that writes files.
  await Promise.race([observing.observatory.close().then(() => server.close()), left(MARGIN_MS)]);
  log.info({}, quiet ? 'drained' : 'left while a model was at work');
  return quiet;
}
