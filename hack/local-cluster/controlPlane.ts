import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiAccess, callApi } from './api.ts';
import { ensurePackages } from './binaries/debian.ts';
import { findBinary } from './binaries/find.ts';
import { installedAt } from './binaries/installed.ts';
import { type BoundChild, startBound } from './boundChild.ts';
import { apiServerArguments, etcdArguments } from './controlPlaneArguments.ts';
import { freePorts } from './freePort.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { createAuthority, serviceAccountKeys } from './pki.ts';
import type { Log } from './progress.ts';
import { until } from './until.ts';

export interface ControlPlaneOptions {
  /** Holds certificates, logs and etcd's data. Emptied first and removed by stop(). */
  readonly directory: string;
  readonly log?: Log;
}

/** A real kube-apiserver and etcd on loopback ports of their own: no node, no controllers, RBAC on. */
export interface ControlPlane {
  /** Path of a kubeconfig of an administrator (group system:masters). */
  readonly kubeconfig: string;
  readonly server: string;
  readonly access: ApiAccess;
  stop(): Promise<void>;
  /** SIGKILL: every connection breaks at once. etcd keeps the objects. */
  killApiServer(): Promise<void>;
  /** Starts it again on the same port; ready when the promise resolves. */
  startApiServer(): Promise<void>;
}

const READY_MS = 60_000;
/** A port found free may be taken by someone else before the server binds it. */
const ATTEMPTS = 3;

/**
 * Starts a control plane and resolves when it is ready. Several may run at once. The processes end with stop(), and
 * also when this process dies.
 */
export async function startControlPlane({ directory, log = () => {} }: ControlPlaneOptions): Promise<ControlPlane> {
  if (installedAt('etcd') === undefined) await ensurePackages(['etcd-server'], log);
  const programs = { etcd: installedAt('etcd') ?? 'etcd', apiServer: await findBinary('kube-apiserver', log) };
  for (let attempt = 1; ; attempt++) {
    const plane = await prepare(directory, programs);
    try {
      await plane.start();
      return plane;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await plane.stop();
    }
  }
}

interface Programs {
  readonly etcd: string;
  readonly apiServer: string;
}

async function prepare(directory: string, programs: Programs): Promise<ControlPlane & { start(): Promise<void> }> {
  const [apiPort = 0, etcdPort = 0, peerPort = 0] = await freePorts(3);
  const server = `https://127.0.0.1:${apiPort}`;
  const access = await writeFiles(directory, server);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  let etcd: BoundChild | undefined;
  let apiServer: BoundChild | undefined;

  const startApiServer = async (): Promise<void> => {
    const args = [...apiServerArguments({ ...fixed, etcd: etcdUrl, port: apiPort, directory }), ...withoutControllers];
    const child = startBound(programs.apiServer, args, join(directory, 'kube-apiserver.log'));
    apiServer = child;
    await ready(access, () => child.exited() ?? etcd?.exited());
  };
  return {
    kubeconfig: join(directory, 'kubeconfig'),
    server,
    access,
    startApiServer,
    killApiServer: async () => apiServer?.end('SIGKILL'),
    start: async () => {
      const args = etcdArguments(directory, etcdUrl, `http://127.0.0.1:${peerPort}`);
      etcd = startBound(programs.etcd, args, join(directory, 'etcd.log'));
      await startApiServer();
    },
    stop: async () => {
      // SIGKILL: a graceful end would wait for watches that nobody reads any more, and nothing here is kept.
      await apiServer?.end('SIGKILL');
      await etcd?.end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const fixed = { bindAddress: '127.0.0.1', advertiseAddress: '127.0.0.1', serviceRange: '10.96.0.0/16' } as const;

/** No controller creates service accounts here, and no endpoint of the API server itself is wanted. */
const withoutControllers = ['--disable-admission-plugins=ServiceAccount', '--endpoint-reconciler-type=none'];

async function writeFiles(directory: string, server: string): Promise<ApiAccess> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, 'pki'), { recursive: true, mode: 0o700 });
  const authority = await createAuthority('slipway-control-plane');
  const [serving, client] = await Promise.all([
    authority.issue({ commonName: 'kube-apiserver', dns: ['localhost', 'kubernetes.default.svc'], ips: ['127.0.0.1'] }),
    authority.issue({ commonName: 'slipway-admin', organizations: ['system:masters'] }),
  ]);
  const keys = serviceAccountKeys();
  const files: Record<string, string> = {
    'pki/ca.crt': authority.certificate,
    'pki/apiserver.crt': serving.certificate,
    'pki/apiserver.key': serving.key,
    'pki/service-account.pub': keys.publicKey,
    'pki/service-account.key': keys.privateKey,
    kubeconfig: renderKubeconfig({ server, authority: authority.certificate, client, name: 'slipway-test' }),
  };
  await Promise.all(
    Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text, { mode: 0o600 })),
  );
  return { server, authority: authority.certificate, client };
}

const ready = (access: ApiAccess, hopeless: () => string | undefined): Promise<boolean> =>
  until(async () => (await callApi(access, { method: 'GET', path: '/readyz' })).status === 200, {
    what: 'waiting for kube-apiserver',
    timeoutMs: READY_MS,
    everyMs: 50,
    hopeless,
  });
