import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderKubeconfig } from '../kubeconfig.ts';
import { createAuthority, type Subject, serviceAccountKeys } from '../pki.ts';
import { apiUrl, directories, files, network, node } from './settings.ts';

const SERVERS: Readonly<Record<string, Subject>> = {
  apiserver: {
    commonName: 'kube-apiserver',
    dns: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    ips: ['127.0.0.1', network.nodeAddress, network.apiServiceAddress],
  },
  'apiserver-kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
  kubelet: {
    commonName: `system:node:${node.name}`,
    organizations: ['system:nodes'],
    dns: [node.name],
    ips: [network.nodeAddress],
  },
  'front-proxy-client': { commonName: 'front-proxy-client' },
};

/** Components and people that reach the API server by kubeconfig, under the names that its built-in roles expect. */
const CLIENTS: Readonly<Record<string, Subject>> = {
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
  kubelet: { commonName: `system:node:${node.name}`, organizations: ['system:nodes'] },
  'kube-proxy': { commonName: 'system:kube-proxy' },
};

export const kubeconfigOf = (component: string): string => join(directories.pki, `${component}.kubeconfig`);
export const pkiFile = (name: string): string => join(directories.pki, name);

const secret = { mode: 0o600 } as const;

/** Makes all certificates and kubeconfigs of the cluster, once in its life. */
export async function ensureCertificates(): Promise<void> {
  // The administrator's kubeconfig is written last: where it is, everything else is.
  if (existsSync(files.kubeconfig)) return;
  await mkdir(directories.pki, { recursive: true, mode: 0o700 });
  const authority = await createAuthority('slipway-local-cluster');
  await writeFile(pkiFile('ca.crt'), authority.certificate);
  await writeFile(pkiFile('ca.key'), authority.key, secret);
  const keys = serviceAccountKeys();
  await writeFile(pkiFile('service-account.pub'), keys.publicKey);
  await writeFile(pkiFile('service-account.key'), keys.privateKey, secret);
  for (const [name, subject] of Object.entries(SERVERS)) {
    const { certificate, key } = await authority.issue(subject);
    await writeFile(pkiFile(`${name}.crt`), certificate);
    await writeFile(pkiFile(`${name}.key`), key, secret);
  }
  const kubeconfig = async (subject: Subject): Promise<string> =>
    renderKubeconfig({
      server: apiUrl,
      authority: authority.certificate,
      client: await authority.issue(subject),
      name: 'slipway',
    });
  for (const [name, subject] of Object.entries(CLIENTS))
    await writeFile(kubeconfigOf(name), await kubeconfig(subject), secret);
  const administrator = { commonName: 'slipway-admin', organizations: ['system:masters'] };
  await writeFile(files.kubeconfig, await kubeconfig(administrator), secret);
}
