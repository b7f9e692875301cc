import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface LogLine {
  readonly msg: string;
  readonly level: string;
  readonly [field: string]: unknown;
}
/** One replica of the operator in a process of its own. */
export interface Replica {
  readonly name: string;
  readonly lines: readonly LogLine[];
  leads(): boolean;
  /** What it wrote to standard error. */
  errors(): string;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Most of what a start costs is to read our TypeScript: the first process that ends well spares the others half of it. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../../.cache/compile', import.meta.url));
const WITHOUT_CONTROLLERS = new URL('./replica.ts', import.meta.url);

export function startReplica(
  name: string,
  kubeconfig: string,
  env: Record<string, string> = {},
  program = WITHOUT_CONTROLLERS,
): Replica {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(program)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      NODE_COMPILE_CACHE,
      PATH: process.env['PATH'],
      SLIPWAY_KUBECONFIG: kubeconfig,
      SLIPWAY_POD_NAME: name,
      SLIPWAY_OPERATOR_NAMESPACE: 'default',
      SLIPWAY_HEALTH_PORT: '0',
      SLIPWAY_RUNTIME_IMAGE: 'runtime:test',
      ...env,
    },
  });
  const lines: LogLine[] = [];
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)));
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return {
    name,
    lines,
    leads: () => lines.some(({ msg }) => msg === 'leading'),
    errors: () => errors,
    kill: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 0))),
  };
}
