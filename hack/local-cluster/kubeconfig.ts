import { stringify } from 'yaml';
import type { Credential } from './pki.ts';

export interface KubeconfigOptions {
  readonly server: string;
  readonly authority: string; // PEM
  readonly client: Credential;
  readonly name: string; // of cluster, user and context alike
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig that holds everything inline, so that it can be copied anywhere. */
export const renderKubeconfig = ({ server, authority, client, name }: KubeconfigOptions): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
