import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export type Ports = Readonly<Record<'rest' | 'grpc' | 'admin', number>>;

export interface StartedServer {
  readonly ports: Ports;
  end(): Promise<void>;
}

/** Runs a command that goes on, in a group of its own and on free ports; resolves when the server is ready. */
export async function serverStarted(
  folder: string,
  command: string,
  more: Readonly<Record<string, string>> = {},
): Promise<StartedServer> {
  const environment = { SLIPWAY_REST_PORT: '0', SLIPWAY_GRPC_PORT: '0', SLIPWAY_ADMIN_PORT: '0', ...more };
  const child = spawn('bash', ['-c', command], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const exited = once(child, 'exit');
  const kill = () => child.exitCode === null && process.kill(-(child.pid as number), 'SIGKILL');
  process.once('exit', kill);
  let ports: Ports | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = line.startsWith('{') ? JSON.parse(line) : {};
    if (entry.msg === 'listening') ports = entry;
    if (entry.msg !== 'ready' || !ports) continue;
    child.stdout.resume();
    const end = async () => {
      kill();
      await exited;
      process.off('exit', kill);
    };
    return { ports, end };
  }
  throw new Error(`${command} ended before it was ready`);
}

export const bashIn = (folder: string, script: string) =>
  promisify(execFile)('bash', ['-c', script], { cwd: folder, encoding: 'utf8' });

/** The page's ports are those of a server that is alone on its machine. */
export const withPorts = (text: string, { rest, grpc, admin }: Ports): string =>
  text
    .replaceAll('localhost:8080', `localhost:${rest}`)
    .replaceAll('localhost:8081', `localhost:${grpc}`)
    .replaceAll('localhost:9090', `localhost:${admin}`);
