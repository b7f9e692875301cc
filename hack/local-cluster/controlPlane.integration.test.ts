import { expect, inject, test } from 'vitest';
import { accessOf, callApi } from './api.ts';

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
