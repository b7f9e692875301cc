import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface CommandOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Each line of stdout and stderr as it comes, for progress. */
  readonly onLine?: (line: string) => void;
}

/** A command that could not be started (code undefined) or did not exit with 0. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  constructor(command: string, code: number | undefined, { stdout, stderr }: { stdout: string; stderr: string }) {
    const ended = code === undefined ? 'did not start or was killed' : `exited with ${code}`;
    super(`${command} ${ended}: ${tail(stderr || stdout)}`);
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

const tail = (text: string): string => text.trim().split('\n').slice(-12).join('\n');

/** Runs a command to its end and returns its stdout, trimmed. Anything but exit code 0 is a CommandError. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = child[name].setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        output[name] += chunk;
      });
      if (options.onLine) createInterface({ input: stream }).on('line', options.onLine);
    }
    const told = `${command} ${args.slice(0, 4).join(' ')}`;
    child.on('error', (error) => reject(new CommandError(told, undefined, { stdout: '', stderr: error.message })));
    child.on('close', (code) => {
      if (code === 0) resolve(output.stdout.trim());
      else reject(new CommandError(told, code ?? undefined, output));
    });
    // A child that exits before it read its input closes the pipe: its exit code says what went wrong.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Whether the command exits with 0. */
export const succeeds = async (command: string, args: readonly string[]): Promise<boolean> =>
  run(command, args).then(
    () => true,
    () => false,
  );
