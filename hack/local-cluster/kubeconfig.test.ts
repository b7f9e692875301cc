import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderKubeconfig } from './kubeconfig.ts';
import { createAuthority } from './pki.ts';

test('a kubeconfig carries its credentials inline, as base64 of the PEM', () => {
  const client = { certificate: 'CERT', key: 'KEY' };
  const text = renderKubeconfig({ server: 'https://127.0.0.1:1', authority: 'CA', client, name: 'mine' });
  expect(parse(text)).toMatchObject({
    'current-context': 'mine',
    clusters: [{ name: 'mine', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': 'Q0E=' } }],
    users: [{ name: 'mine', user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' } }],
    contexts: [{ name: 'mine', context: { cluster: 'mine', user: 'mine' } }],
  });
});

test('an issued certificate names its user and groups, its hosts, and its authority', async () => {
  const authority = await createAuthority('test-ca');
  const issued = await authority.issue({
    commonName: 'system:node:a',
    organizations: ['system:nodes'],
    dns: ['a.local'],
    ips: ['10.0.0.1'],
  });
  const certificate = new X509Certificate(issued.certificate);
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:a');
  expect(certificate.subjectAltName).toBe('DNS:a.local, IP Address:10.0.0.1');
  expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  expect(certificate.ca).toBe(false);
});
