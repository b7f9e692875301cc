import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts'; // declares what tests inject
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { kubectl, kustomize, type Manifest, render } from './render.ts';

const KUBECONFIG = inject('kubeconfig');
const NAMESPACE = 'version-approvals';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const NAME = 'flights-1.4.0';

const run = (args: readonly string[], input: unknown = ''): Promise<string> =>
  kubectl(['--kubeconfig', KUBECONFIG, '-n', NAMESPACE, ...args], JSON.stringify(input));
const list = (items: readonly unknown[]) => ({ apiVersion: 'v1', kind: 'List', items });
const apply = (...objects: readonly unknown[]) => run(['apply', '-f', '-'], list(objects));

const RBAC = 'rbac.authorization.k8s.io/v1';
const role = (name: string, rules: readonly object[]) => ({
  apiVersion: RBAC,
  kind: 'Role',
  metadata: { name, namespace: NAMESPACE },
  rules,
});
const binding = (user: string, kind: 'Role' | 'ClusterRole', name: string) => ({
  apiVersion: RBAC,
  kind: 'RoleBinding',
  metadata: { name: `${user}-${name}`, namespace: NAMESPACE },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
  subjects: [{ kind: 'User', name: user }],
});

/** alice and dora approve, bob edits and may not, carol approves one other version only, the operator writes statuses. */
const PEOPLE = [
  role('one-other-version', [
    { apiGroups: ['slipway.dev'], resources: ['modelversions'], verbs: ['approve'], resourceNames: ['other-1.0.0'] },
  ]),
  role('version-operator', [
    { apiGroups: ['slipway.dev'], resources: ['modelversions'], verbs: ['get'] },
    { apiGroups: ['slipway.dev'], resources: ['modelversions/status'], verbs: ['get', 'patch'] },
  ]),
  ...['alice', 'dora'].flatMap((user) => [
    binding(user, 'ClusterRole', 'slipway-edit'),
    binding(user, 'ClusterRole', 'slipway-approver'),
  ]),
  binding('bob', 'ClusterRole', 'slipway-edit'),
  binding('carol', 'ClusterRole', 'slipway-edit'),
  binding('carol', 'Role', 'one-other-version'),
  binding('operator', 'Role', 'version-operator'),
];
const POLICIES = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'];
const policies = async (): Promise<Manifest[]> =>
  (await render({ watchNamespaces: [NAMESPACE] }, 'versions-system')).filter(({ kind }) => POLICIES.includes(kind));

const version = (name = NAME, spec: object = {}) => ({
  apiVersion: 'slipway.dev/v1alpha1',
  kind: 'ModelVersion',
  metadata: { name },
  spec: {
    model: name.split('-')[0],
    version: name.split('-')[1],
    artifact: { uri: 's3://models/flights/x', digest: DIGEST },
    approval: 'TwoPeople',
    ...spec,
  },
});
const approval = (by: string, changes: object = {}) => ({
  stage: 'Production',
  by,
  digest: DIGEST,
  at: '2030-01-31T09:00:00Z',
  ...changes,
});
const patch = (user: string, content: object, ...more: readonly string[]) =>
  run(['patch', 'mv', NAME, '--type=merge', '-p', JSON.stringify(content), '--as', user, ...more]);
const approve = (user: string, ...approvals: readonly object[]) => patch(user, { spec: { approvals } });

beforeAll(async () => {
  await run(['create', 'namespace', NAMESPACE]).catch(() => '');
  const roles = (await kustomize('default')).filter(({ metadata }) => metadata.name.startsWith('slipway-'));
  await apply(...roles.filter(({ kind }) => kind === 'ClusterRole'), ...PEOPLE, ...(await policies()));
  await apply(version());
  // The server learns of a policy by watching it. Asked for nothing but an answer: an approval that got in before would stay.
  const refused = () => patch('bob', { spec: { approvals: [approval('bob')] } }, '--dry-run=server');
  await vi.waitFor(() => expect(refused()).rejects.toThrow('denied request'), { timeout: 20_000 });
});
afterAll(async () => {
  await run(['delete', '-f', '-'], list(await policies()));
  await run(['delete', 'mv', '--all']);
});
beforeEach(async () => {
  await run(['delete', 'mv', '--all']);
  await apply(version());
});

describe('an approval of a version is taken', () => {
  test('from whoever holds the verb, in their own name, for these files', async () => {
    expect(await approve('alice', approval('alice'))).toContain('patched');
  });

  test('from a second person, that of the first left as it is', async () => {
    await approve('alice', approval('alice'));
    expect(await approve('dora', approval('alice'), approval('dora', { comment: 'so do I' }))).toContain('patched');
  });

  test('for each stage from the same person', async () => {
    await approve('alice', approval('alice', { stage: 'Staging' }));
    const both = [approval('alice', { stage: 'Staging' }), approval('alice')];
    expect(await approve('alice', ...both)).toContain('patched');
  });

  test('and whoever has no verb moves the stage, which waits for the approvals, and the operator writes statuses', async () => {
    await approve('alice', approval('alice'));
    expect(await patch('bob', { spec: { stage: 'Production' } })).toContain('patched');
    expect(await patch('operator', { status: { stage: 'Staging' } }, '--subresource=status')).toContain('patched');
  });
});

/** What a refused requester reads, as docs/registry.md shows it. */
const SENTENCES = {
  verb: 'bob may not approve flights-1.4.0: that needs the verb approve on modelversions.slipway.dev, which the ClusterRole slipway-approver gives',
  name: 'an approval is given in your own name: write by: alice, or let kubectl slipway approve write it',
  files: `an approval is for the files of this version: write digest: ${DIGEST}`,
  gone: 'approvals are never changed or taken back: add yours, and archive the version to withdraw it',
};

describe('an approval of a version is refused, with a sentence that says what to write', () => {
  test.each<[string, string, object, string]>([
    ['from whoever lacks the verb', 'bob', approval('bob'), SENTENCES.verb],
    ['from whoever holds it for another version', 'carol', approval('carol'), 'carol may not approve flights-1.4.0'],
    ["in another's name", 'alice', approval('dora'), SENTENCES.name],
    ['for other files', 'alice', approval('alice', { digest: OTHER }), SENTENCES.files],
  ])('%s', async (_, user, given, sentence) => {
    await expect(approve(user, given)).rejects.toThrow(sentence);
  });

  test('from the same person twice: two people are two names', async () => {
    await approve('alice', approval('alice'));
    const twice = [approval('alice'), approval('alice', { at: '2030-02-01T09:00:00Z' })];
    await expect(approve('alice', ...twice)).rejects.toThrow('Duplicate value');
  });

  test('where one of before is taken out, or all of them', async () => {
    await approve('alice', approval('alice'));
    await approve('dora', approval('alice'), approval('dora'));
    // By the schema: it holds where the policy is not installed, too.
    await expect(approve('dora', approval('dora'))).rejects.toThrow(SENTENCES.gone);
    await expect(patch('alice', { spec: { approvals: null } })).rejects.toThrow(SENTENCES.gone);
  });

  test('in a new object, from whoever lacks the verb', async () => {
    const created = (user: string) =>
      run(['create', '--as', user, '-f', '-'], version('next-1.0.0', { approvals: [approval(user)] }));
    await expect(created('bob')).rejects.toThrow('bob may not approve next-1.0.0');
    expect(await created('alice')).toContain('created');
  });
});

test('docs/registry.md shows the sentences that the policy has', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'registry.md'), 'utf8');
  const section = page.slice(page.indexOf('The API server refuses'));
  const shown = [...section.matchAll(/^\| [^|]+ \| ([^|]{40,}) \|$/gm)].map(([, sentence]) => sentence);
  expect(shown.slice(0, 4).sort()).toEqual(Object.values(SENTENCES).sort());
});
