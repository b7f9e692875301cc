import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { type ApiAccess, callApi } from './api.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Record<string, string> }[];
  readonly users: readonly { readonly user: Record<string, string> }[];
}

const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();

function accessOf(path: string): ApiAccess {
  const { clusters, users } = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster ?? {}, users[0]?.user ?? {}];
  return {
    server: cluster['server'] ?? '',
    authority: decoded(cluster['certificate-authority-data']),
    client: {
      certificate: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
    },
  };
}

const access = accessOf(inject('kubeconfig'));
const get = (path: string) => callApi(access, { method: 'GET', path });

test('the kubeconfig belongs to an administrator of a ready server', async () => {
  expect((await get('/readyz')).status).toBe(200);
  expect((await get('/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin')).status).toBe(200);
});

test('a client without a certificate is anonymous, and RBAC refuses it', async () => {
  const anonymous = { ...access, client: { certificate: '', key: '' } };
  expect((await callApi(anonymous, { method: 'GET', path: '/api/v1/namespaces' })).status).toBe(403);
});
