import { ConfigError, type OperatorConfig, parseConfig } from './config.ts';
import type { ControllerSpec } from './kube/contracts.ts';
import { isClosed } from './kube/errors.ts';
import type { Log } from './kube/observe.ts';
import { runOperator } from './operator.ts';
import { createLog } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';

const BAD_USAGE = 2;

function readConfig(): OperatorConfig {
  try {
    return parseConfig(process.env, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(BAD_USAGE);
  }
}

/** The controllers to run. What they count goes to the operator's metrics. */
export type MakeControllers = (config: OperatorConfig, metrics: Metrics) => ControllerSpec[];

/**
 * A pass that did not end in time is left behind, and its calls fail once the connection is closed. Node would end the
 * process with a stack trace for the first that nobody waits for any more, in place of the sentence that says why it ends.
 */
export const leftBehind =
  (log: Pick<Log, 'info'>) =>
  (error: unknown): void => {
    if (!isClosed(error) && (error as { code?: unknown } | undefined)?.code !== 'UND_ERR_DESTROYED') throw error;
    log.info({ message: (error as Error).message }, 'a call was cut off by the end');
  };

/** Runs the operator with what environment and flags say, until SIGTERM or SIGINT. */
export async function runFromEnvironment(controllers: MakeControllers): Promise<void> {
  const config = readConfig();
  const log = createLog({ level: config.logLevel, terminal: process.stdout.isTTY === true });
  process.on('unhandledRejection', leftBehind(log));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      stop.abort();
    });
  }
  try {
    const metrics = createMetrics(() => new Date());
    await runOperator({ config, controllers: controllers(config, metrics), log, metrics }, stop.signal);
    log.info({}, 'stopped');
  } catch (error) {
    // A new process is the one state we know to be clean: the Deployment starts it.
    log.error({ err: error }, 'ended');
    process.exitCode = 1;
  }
}
