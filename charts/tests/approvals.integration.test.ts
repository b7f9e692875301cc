import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts'; // declares what tests inject
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { kubectl, kustomize, type Manifest, render } from './render.ts';

const KUBECONFIG = inject('kubeconfig');
const NAMESPACE = 'approvals';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

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

/** alice and dora approve, bob edits and may not, carol approves one other service only, the operator writes statuses. */
const PEOPLE = [
  role('one-other', [
    { apiGroups: ['slipway.dev'], resources: ['inferenceservices'], verbs: ['approve'], resourceNames: ['other'] },
  ]),
  role('operator', [
    { apiGroups: ['slipway.dev'], resources: ['inferenceservices'], verbs: ['get'] },
    { apiGroups: ['slipway.dev'], resources: ['inferenceservices/status'], verbs: ['get', 'patch'] },
  ]),
  binding('alice', 'ClusterRole', 'slipway-edit'),
  binding('alice', 'ClusterRole', 'slipway-approver'),
  binding('dora', 'ClusterRole', 'slipway-edit'),
  binding('dora', 'ClusterRole', 'slipway-approver'),
  binding('bob', 'ClusterRole', 'slipway-edit'),
  binding('carol', 'ClusterRole', 'slipway-edit'),
  binding('carol', 'Role', 'one-other'),
  binding('operator', 'Role', 'operator'),
];
const POLICIES = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'];
const policies = async (): Promise<Manifest[]> =>
  (await render({ watchNamespaces: [NAMESPACE] }, 'approvals-system')).filter(({ kind }) => POLICIES.includes(kind));

const service = (name: string, spec: object = {}) => ({
  apiVersion: 'slipway.dev/v1alpha1',
  kind: 'InferenceService',
  metadata: { name },
  spec: {
    model: { name: 'flights', version: '1.4.0' },
    rollout: { steps: [{ weight: 5 }, { approval: true }, { weight: 50 }, { approval: true }, { weight: 100 }] },
    ...spec,
  },
});
const approval = (changes: object = {}) => ({
  rolloutID: 'r-2',
  step: 1,
  digest: DIGEST,
  by: 'alice',
  at: '2030-01-31T09:00:00Z',
  ...changes,
});
const STATUS = {
  rolloutID: 'r-2',
  candidate: {
    version: '1.5.0',
    digest: DIGEST,
    revision: 'cafe',
    phase: 'Shifting',
    step: 1,
    weight: 5,
    startedAt: '2030-01-31T08:00:00Z',
    awaitingApproval: true,
  },
};
const patch = (user: string, content: object, ...more: readonly string[]) =>
  run(['patch', 'infs', 'flights', '--type=merge', '-p', JSON.stringify(content), '--as', user, ...more]);
const approve = (user: string, ...approvals: readonly object[]) => patch(user, { spec: { approvals } });
/** The operator's own way. */
const tell = (status: object) => patch('operator', { status }, '--subresource=status');

beforeAll(async () => {
  await run(['create', 'namespace', NAMESPACE]).catch(() => '');
  const roles = (await kustomize('default')).filter(({ metadata }) => metadata.name.startsWith('slipway-'));
  await apply(...roles.filter(({ kind }) => kind === 'ClusterRole'), ...PEOPLE, ...(await policies()));
  await apply(service('flights'));
  // The server learns of a policy by watching it. Asked for nothing but an answer: an approval that got in before would stay.
  const refused = () => patch('bob', { spec: { approvals: [approval()] } }, '--dry-run=server');
  await vi.waitFor(() => expect(refused()).rejects.toThrow('denied request'), { timeout: 20_000 });
});
afterAll(async () => {
  await run(['delete', '-f', '-'], list(await policies()));
  await run(['delete', 'infs', '--all']);
});
beforeEach(async () => {
  await run(['delete', 'infs', '--all']);
  await apply(service('flights'));
  await tell(STATUS);
});

describe('an approval is taken', () => {
  test('from whoever holds the verb, in their own name, for what waits', async () => {
    expect(await approve('alice', approval())).toContain('patched');
  });

  test('step by step, the one before left as it is', async () => {
    await approve('alice', approval());
    expect(await approve('alice', approval(), approval({ step: 3, comment: 'still well' }))).toContain('patched');
  });

  test('and the operator goes on writing statuses, with no verb of people', async () => {
    await approve('alice', approval());
    expect(await tell({ ...STATUS, candidate: { ...STATUS.candidate, step: 2, weight: 50 } })).toContain('patched');
  });

  test('and dropped with all others, as a manifest from Git does', async () => {
    await approve('alice', approval());
    expect(await approve('bob')).toContain('patched');
  });
});

describe('an approval is refused, with a sentence that says what to write', () => {
  test.each<[string, string, object, string]>([
    [
      'from whoever lacks the verb',
      'bob',
      { by: 'bob' },
      'bob may not approve flights: that needs the verb approve on inferenceservices.slipway.dev, which the ClusterRole slipway-approver gives',
    ],
    ['from whoever holds it for another object', 'carol', { by: 'carol' }, 'carol may not approve flights'],
    [
      "in another's name",
      'alice',
      { by: 'carol' },
      'an approval is given in your own name: write by: alice, or let kubectl slipway approve write it',
    ],
    [
      'for another artifact',
      'alice',
      { digest: OTHER },
      `an approval is for the artifact that waits: write digest: ${DIGEST}, that of version 1.5.0`,
    ],
    [
      'for another rollout',
      'alice',
      { rolloutID: 'r-1' },
      'an approval is for the rollout that is on its way: write rolloutID: r-2',
    ],
    [
      'for a step that asks for none',
      'alice',
      { step: 2 },
      'step must be the index, from 0, of an approval step in spec.rollout.steps; flights has them at: 1, 3',
    ],
  ])('%s', async (_, user, changes, sentence) => {
    await expect(approve(user, approval(changes))).rejects.toThrow(sentence);
  });

  test('while nothing waits for it', async () => {
    await tell({ rolloutID: 'r-2', candidate: null });
    await expect(approve('alice', approval())).rejects.toThrow(
      'there is nothing to approve: no candidate of flights is on its way',
    );
  });

  test('where one of before is taken out or rewritten', async () => {
    await approve('alice', approval(), approval({ step: 3 }));
    const sentence =
      'approvals are never changed or taken out one by one: leave those of before as they are and add yours, or drop them all';
    await expect(approve('alice', approval())).rejects.toThrow(sentence);
    // The schema says the same of a rewritten one, and speaks first.
    await expect(approve('alice', approval({ comment: 'x' }), approval({ step: 3 }))).rejects.toThrow(
      'an approval is never changed',
    );
  });

  test('in a new object, from whoever lacks the verb', async () => {
    const created = (user: string) =>
      run(['create', '--as', user, '-f', '-'], service('other-2', { approvals: [approval({ by: user })] }));
    await expect(created('bob')).rejects.toThrow('bob may not approve other-2');
    expect(await created('alice')).toContain('created');
  });
});

describe('what leads around an approval needs the same verb:', () => {
  const promote = { metadata: { annotations: { 'slipway.dev/promote': 'r-2' } } };

  test('the annotation by which steps are skipped; taking it away needs none', async () => {
    await expect(patch('bob', promote)).rejects.toThrow(
      'bob may not set the annotation slipway.dev/promote of flights',
    );
    expect(await patch('alice', promote)).toContain('patched');
    expect(await patch('bob', { spec: { predictor: { replicas: { min: 2 } } } })).toContain('patched');
    const other = { metadata: { annotations: { 'slipway.dev/promote': 'r-3' } } };
    await expect(patch('bob', other)).rejects.toThrow('may not set the annotation');
    expect(await patch('bob', { metadata: { annotations: { 'slipway.dev/promote': null } } })).toContain('patched');
  });

  test('a new object with that annotation', async () => {
    const object = { ...service('other-3'), metadata: { name: 'other-3', ...promote.metadata } };
    await expect(run(['create', '--as', 'bob', '-f', '-'], object)).rejects.toThrow('bob may not set the annotation');
  });

  test('steps of which one was an approval', async () => {
    const steps = { spec: { rollout: { steps: [{ weight: 5 }, { weight: 100 }] } } };
    await expect(patch('bob', steps)).rejects.toThrow(
      'bob may not change the rollout steps, of which one is an approval, of flights',
    );
    expect(await patch('alice', steps)).toContain('patched');
    expect(await patch('bob', { spec: { rollout: { steps: [{ weight: 10 }, { weight: 100 }] } } })).toContain(
      'patched',
    );
  });

  test('and everything else does not: a new version, an abort', async () => {
    expect(await patch('bob', { spec: { model: { version: '1.6.0' } } })).toContain('patched');
    expect(await patch('bob', { metadata: { annotations: { 'slipway.dev/abort': 'r-2' } } })).toContain('patched');
  });
});

describe('an approval of two people', () => {
  const steps = [{ weight: 5 }, { approval: true, people: 2 }, { weight: 50 }, { approval: true }, { weight: 100 }];
  const promote = { metadata: { annotations: { 'slipway.dev/promote': 'r-2' } } };
  beforeEach(async () => {
    await run(['delete', 'infs', '--all']);
    await apply(service('flights', { rollout: { steps } }));
    await tell(STATUS);
  });

  test('is given by one after the other, each in their own name and once', async () => {
    await approve('alice', approval());
    await expect(approve('alice', approval(), approval())).rejects.toThrow('Duplicate value');
    await expect(approve('alice', approval(), approval({ by: 'dora' }))).rejects.toThrow(
      'an approval is given in your own name: write by: alice',
    );
    await expect(approve('dora', approval({ by: 'dora' }))).rejects.toThrow('never changed or taken out one by one');
    expect(await approve('dora', approval(), approval({ by: 'dora' }))).toContain('patched');
  });

  test('is not skipped by one: the annotation promote is for steps behind it', async () => {
    await expect(patch('alice', promote)).rejects.toThrow(
      'the annotation slipway.dev/promote of one person would skip the approval of several at step: 1; each of them writes kubectl slipway approve infs/flights',
    );
    await tell({ ...STATUS, candidate: { ...STATUS.candidate, step: 3, weight: 50 } });
    expect(await patch('alice', promote)).toContain('patched');
  });

  test('stays as it is while the rollout is on its way', async () => {
    const ofOne = { spec: { rollout: { steps: [{ weight: 5 }, { approval: true }, { weight: 100 }] } } };
    await expect(patch('alice', ofOne)).rejects.toThrow(
      'steps that several people approve stay as they are while a rollout is on its way: kubectl slipway abort infs/flights ends it',
    );
    expect(await patch('bob', { metadata: { annotations: { 'slipway.dev/abort': 'r-2' } } })).toContain('patched');
    await tell({ ...STATUS, candidate: { ...STATUS.candidate, phase: 'RolledBack' } });
    expect(await patch('alice', ofOne)).toContain('patched');
  });
});

/** What the page says that the server answers; the tests above get these very sentences. */
test('docs/approvals.md shows the sentences that the policy has', async () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'approvals.md'), 'utf8');
  const shown = [...page.matchAll(/^\| [^|]+ \| ([^|]{40,}) \|$/gm)].map(([, sentence]) => sentence as string);
  const tested = readFileSync(import.meta.filename, 'utf8');
  expect(shown).toHaveLength(8);
  for (const sentence of shown) expect(tested).toContain(sentence);
});

test('the policy is left out where a values file says so', async () => {
  const all = await render({ approvals: { enforce: false } }, 'approvals-system');
  expect(all.filter(({ kind }) => POLICIES.includes(kind))).toEqual([]);
});

test('kustomize and the chart enforce the same', async () => {
  const specsOf = (all: readonly Manifest[]) =>
    all.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy').map(({ spec }) => spec);
  const chart = specsOf(await render({}, 'approvals-system'));
  expect(chart).toHaveLength(2);
  expect(specsOf(await kustomize('default'))).toEqual(chart);
});

test('the server finds no fault in the types of the policy', async () => {
  for (const { kind, metadata } of await policies()) {
    if (kind !== 'ValidatingAdmissionPolicy') continue;
    const status = await run(['get', 'validatingadmissionpolicy', metadata.name, '-o', 'jsonpath={.status}']);
    expect(status).not.toContain('expressionWarnings');
  }
});
