import { readFile, writeFile } from 'node:fs/promises';
import { findBinary } from '../binaries/find.ts';
import { installedAt } from '../binaries/installed.ts';
import { run } from '../command.ts';
import { apiServerArguments, etcdArguments } from '../controlPlaneArguments.ts';
import { freePorts } from '../freePort.ts';
import type { Log } from '../progress.ts';
import { until } from '../until.ts';
import { kubeconfigOf, pkiFile } from './certificates.ts';
import { gone, running, startDaemon, stopDaemon } from './processes.ts';
import { apiPort, directories, files, network } from './settings.ts';

const apiServer = (etcd: string): string[] => [
  ...apiServerArguments({
    etcd,
    port: apiPort,
    directory: directories.root,
    bindAddress: network.nodeAddress,
    advertiseAddress: network.nodeAddress,
    serviceRange: network.serviceRange,
  }),
  '--enable-admission-plugins=NodeRestriction',
  `--kubelet-certificate-authority=${pkiFile('ca.crt')}`,
  `--kubelet-client-certificate=${pkiFile('apiserver-kubelet-client.crt')}`,
  `--kubelet-client-key=${pkiFile('apiserver-kubelet-client.key')}`,
  '--kubelet-preferred-address-types=InternalIP',
  `--requestheader-client-ca-file=${pkiFile('ca.crt')}`,
  '--requestheader-allowed-names=front-proxy-client',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
];

/** Leader election would only delay the start: there is one of each. */
const component = (name: string): string[] => [
  `--kubeconfig=${kubeconfigOf(name)}`,
  `--authentication-kubeconfig=${kubeconfigOf(name)}`,
  `--authorization-kubeconfig=${kubeconfigOf(name)}`,
  `--bind-address=${network.nodeAddress}`,
  '--leader-elect=false',
];

const controllerManager = (): string[] => [
  ...component('controller-manager'),
  `--root-ca-file=${pkiFile('ca.crt')}`,
  `--service-account-private-key-file=${pkiFile('service-account.key')}`,
  `--cluster-signing-cert-file=${pkiFile('ca.crt')}`,
  `--cluster-signing-key-file=${pkiFile('ca.key')}`,
  '--use-service-account-credentials',
  '--allocate-node-cidrs',
  `--cluster-cidr=${network.podRange}`,
  `--service-cluster-ip-range=${network.serviceRange}`,
];

const start = async (name: 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler', args: string[], log: Log) =>
  startDaemon({ name, command: await findBinary(name, log), args });

/**
 * Starts etcd on ports that are free now, and returns its URL. An API server that ran on an etcd that is gone is ended:
 * it knows the old port, which may by now be anyone's.
 */
async function raiseEtcd(): Promise<string> {
  const known = await readFile(files.etcdUrl, 'utf8').catch(() => '');
  if (known !== '' && (await running('etcd'))) return known;
  await stopDaemon('kube-apiserver');
  const [client, peer] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`);
  const args = etcdArguments(directories.root, String(client), String(peer));
  await startDaemon({ name: 'etcd', command: installedAt('etcd') ?? 'etcd', args });
  await writeFile(files.etcdUrl, String(client));
  return String(client);
}

/** Starts what is not running of etcd, API server, controller manager and scheduler, and waits for the API server. */
export async function raiseControlPlane(log: Log): Promise<void> {
  await start('kube-apiserver', apiServer(await raiseEtcd()), log);
  const kubectl = await findBinary('kubectl', log);
  await until(() => run(kubectl, ['--kubeconfig', files.kubeconfig, 'get', '--raw', '/readyz']), {
    what: 'waiting for kube-apiserver',
    // One that was killed has its whole state to read anew, on a machine that may be busy.
    timeoutMs: 180_000,
    hopeless: async () => (await gone('etcd')) ?? (await gone('kube-apiserver')),
  });
  await start('kube-controller-manager', controllerManager(), log);
  await start('kube-scheduler', component('scheduler'), log);
}
