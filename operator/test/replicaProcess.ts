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
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

const PROGRAM = fileURLToPath(new URL('./replica.ts', import.meta.url));

export function startReplica(name: string, kubeconfig: string, env: Record<string, string> = {}): Replica {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
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
  return {
    name,
    lines,
    leads: () => lines.some(({ msg }) => msg === 'leading'),
    kill: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 0))),
  };
}
