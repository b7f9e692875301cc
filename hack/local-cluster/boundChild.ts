import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

/** A child that ends with us, whatever ends us. */
export interface BoundChild {
  readonly pid: number | undefined;
  /** Undefined while it runs. */
  exited(): string | undefined;
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const GRACE_MS = 5000;

/**
 * Starts a program that logs to a file. On Linux the kernel kills it when we die, so that even `kill -9` of a test
 * runner leaves no API server behind.
 */
export function startBound(command: string, args: readonly string[], logFile: string): BoundChild {
  const log = openSync(logFile, 'a');
  const [program, all]: [string, readonly string[]] =
    process.platform === 'linux' ? ['setpriv', ['--pdeathsig', 'KILL', '--', command, ...args]] : [command, args];
  const child = spawn(program, all, { stdio: ['ignore', log, log], detached: false });
  closeSync(log);
  let failure: string | undefined;
  child.on('error', (error) => {
    failure = error.message;
  });
  return {
    pid: child.pid,
    exited: () => failure ?? exitOf(child, logFile),
    end: (signal = 'SIGTERM') => end(child, signal),
  };
}

function exitOf(child: ChildProcess, logFile: string): string | undefined {
  if (child.exitCode === null && child.signalCode === null) return undefined;
  return `it exited with ${child.exitCode ?? child.signalCode}; its log is ${logFile}`;
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await gone;
  clearTimeout(timer);
}
