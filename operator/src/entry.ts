import { ConfigError, type OperatorConfig, parseConfig } from './config.ts';
import type { ControllerSpec } from './kube/contracts.ts';
import { runOperator } from './operator.ts';
import { createLog } from './telemetry/log.ts';

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

/** Runs the operator with what environment and flags say, until SIGTERM or SIGINT. */
export async function runFromEnvironment(controllers: (config: OperatorConfig) => ControllerSpec[]): Promise<void> {
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
    await runOperator({ config, controllers: controllers(config), log }, stop.signal);
    log.info({}, 'stopped');
  } catch (error) {
    // A new process is the one state we know to be clean: the Deployment starts it.
    log.error({ err: error }, 'ended');
    process.exitCode = 1;
  }
}
