import { ConfigError, type OperatorConfig, parseConfig } from './config.ts';
import type { ControllerSpec } from './kube/contracts.ts';
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

/** Runs the operator with what environment and flags say, until SIGTERM or SIGINT. */
export async function runFromEnvironment(controllers: MakeControllers): Promise<void> {
  const config = readConfig();
  const log = createLog({ level: config.logLevel, terminal: process.stdout.isTTY === true });
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
