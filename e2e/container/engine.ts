import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '@slipway/hack/local-cluster/binaries/debian.ts';
import { type BoundChild, startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { run, succeeds } from '@slipway/hack/local-cluster/command.ts';
import type { Log } from '@slipway/hack/local-cluster/progress.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';

/** A Docker engine that answers. */
export interface DockerEngine {
  /** As in DOCKER_HOST. */
  readonly host: string;
  close(): Promise<void>;
}

const USUAL_SOCKET = '/var/run/docker.sock';
const BRIDGE = 'docker0';

/** Whether an engine answers on this socket. */
const answers = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    request({ socketPath, path: '/_ping', timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .on('timeout', () => resolve(false))
      .end();
  });

/**
 * The engine that DOCKER_HOST names, else the machine's own, else one of ours for as long as it is open. Throws one
 * sentence where none can be had.
 */
export async function openEngine(named: string | undefined, log: Log): Promise<DockerEngine> {
  if (named) return { host: named, close: async () => {} };
  if (await answers(USUAL_SOCKET)) return { host: `unix://${USUAL_SOCKET}`, close: async () => {} };
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error(
      'No Docker engine answers: start Docker, set DOCKER_HOST, or run this as root on Debian or Ubuntu.',
    );
  await ensurePackages(['docker.io', 'iproute2', 'util-linux'], log);
  return startEngine(log);
}

/**
 * dockerd with all its state in a temporary folder. It writes no firewall rules: published ports are served by its
 * proxy, and containers have no way out of the machine.
 */
async function startEngine(log: Log): Promise<DockerEngine> {
  const hadBridge = await succeeds('ip', ['link', 'show', BRIDGE]);
  // A socket address holds 107 characters, so the checkout is no place for it.
  const folder = await mkdtemp(join(tmpdir(), 'slipway-docker-'));
  const [socket, logFile] = [join(folder, 'docker.sock'), join(folder, 'dockerd.log')];
  log('starting a Docker engine in a temporary folder');
  const engine = startBound('dockerd', engineArguments(folder, socket), logFile);
  const close = () => closeEngine(engine, folder, hadBridge);
  try {
    const hopeless = async () => engine.exited();
    await until(() => answers(socket), { timeoutMs: 60_000, what: 'the Docker engine answers', hopeless });
  } catch (error) {
    const why = await run('tail', ['-n', '3', logFile]).catch(() => '');
    await close();
    throw new Error(`${(error as Error).message}: ${why}`);
  }
  return { host: `unix://${socket}`, close };
}

const engineArguments = (folder: string, socket: string): string[] => [
  '--host',
  `unix://${socket}`,
  '--data-root',
  join(folder, 'images'),
  '--exec-root',
  join(folder, 'run'),
  '--pidfile',
  join(folder, 'pid'),
  '--iptables=false',
  '--ip-forward=false',
];

async function closeEngine(engine: BoundChild, folder: string, hadBridge: boolean): Promise<void> {
  await engine.end();
  // Left behind where the engine had to be killed.
  const mounts = await run('findmnt', ['--list', '--noheadings', '--output', 'TARGET']).catch(() => '');
  for (const mount of mounts
    .split('\n')
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse())
    await succeeds('umount', ['--lazy', mount]);
  await rm(folder, { recursive: true, force: true });
  if (!hadBridge) await succeeds('ip', ['link', 'delete', BRIDGE]);
}
