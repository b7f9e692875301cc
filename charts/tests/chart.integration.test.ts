import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts'; // declares what tests inject
import { parseConfig } from '@slipway/operator/config.ts';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { chart, environmentOf, helm, kubectl, kustomize, type Manifest, only, podSpecOf, render } from './render.ts';

const KUBECONFIG = inject('kubeconfig');
const SYSTEM = 'chart-system';
const RESTRICTED = 'chart-restricted';
const onServer = (args: readonly string[], objects: readonly unknown[] = []): Promise<string> =>
  kubectl(['--kubeconfig', KUBECONFIG, ...args], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));

const namespace = (name: string, labels = {}) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });

beforeAll(async () => {
  await onServer(
    ['apply', '-f', '-'],
    [
      ...[SYSTEM, 'chart-a', 'chart-b', 'slipway-system'].map((name) => namespace(name)),
      namespace(RESTRICTED, { 'pod-security.kubernetes.io/enforce': 'restricted' }),
    ],
  );
});

const EVERYTHING = {
  image: { repository: 'example.com/slipway/operator', tag: '1.2.3' },
  runtime: { image: { repository: 'example.com/slipway/runtime', tag: '1.2.3' } },
  imagePullPolicy: 'Always',
  imagePullSecrets: [{ name: 'registry' }],
  replicas: 3,
  defaultGateway: { namespace: 'gateways', name: 'public' },
  watchNamespaces: ['chart-a', 'chart-b'],
  cloudEventsSink: 'http://broker.events/slipway',
  retrainEvents: { enabled: true },
  evidence: 'prometheus',
  prometheusUrl: 'http://prometheus.monitoring:9090',
  scrapeNamespaces: ['monitoring'],
  logLevel: 'debug',
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'system', operator: 'Exists' }],
  networkPolicy: { enabled: true },
};

const WAYS: readonly (readonly [string, () => Promise<Manifest[]>])[] = [
  ['the chart as it comes', () => render({}, SYSTEM)],
  ['the chart with every value set', () => render(EVERYTHING, SYSTEM)],
  ['config/default', () => kustomize('default')],
  ['config/namespaced', () => kustomize('namespaced')],
];

describe.each(WAYS)('%s', (_, manifests) => {
  test('is taken by the API server, every field known', async () => {
    const all = await manifests();
    const said = await onServer(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], all);
    expect(said.split('\n')).toHaveLength(all.length);
  });

  test('runs a pod that Pod Security restricted admits', async () => {
    const { serviceAccountName: _account, ...spec } = podSpecOf(only(await manifests(), 'Deployment'));
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'operator', namespace: RESTRICTED }, spec };
    await onServer(['create', 'serviceaccount', 'default', '-n', RESTRICTED]).catch(() => '');
    expect(await onServer(['apply', '--dry-run=server', '-f', '-'], [pod])).toContain('pod/operator created');

    const container = { ...spec.containers[0], securityContext: {} };
    const lax = { ...pod, spec: { ...spec, containers: [container] } };
    await expect(onServer(['apply', '--dry-run=server', '-f', '-'], [lax])).rejects.toThrow('violates PodSecurity');
  });

  test('mounts nothing writable', async () => {
    const spec = podSpecOf(only(await manifests(), 'Deployment'));
    expect(spec.containers.map(({ securityContext }) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
    expect(spec['volumes']).toBeUndefined();
  });
});

describe('the operator reads what the values say', () => {
  const configOf = async (values: object) =>
    parseConfig(environmentOf(only(await render(values, SYSTEM), 'Deployment')));

  test('as it comes', async () => {
    expect(await configOf({})).toMatchObject({
      runtimeImage: 'slipway/runtime:0.1.0',
      imagePullPolicy: 'IfNotPresent',
      defaultGateway: undefined,
      watchNamespaces: [],
      logLevel: 'info',
      retrainEventsPort: undefined,
      leaderElection: true,
      healthPort: 8081,
    });
  });

  test('with every value set', async () => {
    expect(await configOf(EVERYTHING)).toMatchObject({
      runtimeImage: 'example.com/slipway/runtime:1.2.3',
      imagePullPolicy: 'Always',
      defaultGateway: { namespace: 'gateways', name: 'public' },
      watchNamespaces: ['chart-a', 'chart-b'],
      cloudeventsSink: 'http://broker.events/slipway',
      retrainEventsPort: 8082,
      evidenceSource: 'prometheus',
      prometheusUrl: 'http://prometheus.monitoring:9090',
      scrapeNamespaces: ['monitoring'],
      logLevel: 'debug',
    });
  });

  test('kustomize says the same as the chart', async () => {
    const deployment = async (all: Promise<Manifest[]>) => podSpecOf(only(await all, 'Deployment'));
    expect(await deployment(kustomize('default'))).toEqual(await deployment(render({}, 'slipway-system')));
  });
});

describe('a value that can not be', () => {
  test.each<[string, object, string]>([
    ['a misspelt one', { replica: 2 }, "additional properties 'replica' not allowed"],
    ['a word for a number', { replicas: 'two' }, "at '/replicas': got string, want integer"],
    ['a log level nobody knows', { logLevel: 'loud' }, "at '/logLevel': value must be one of"],
    [
      'a tag that YAML reads as a number',
      { image: { repository: 'a', tag: 1.1 } },
      "at '/image/tag': got number, want string",
    ],
    ['a namespace list in one string', { watchNamespaces: 'a,b' }, "at '/watchNamespaces': got string, want array"],
    [
      'an address without http',
      { cloudEventsSink: 'broker.events' },
      "at '/cloudEventsSink': 'broker.events' does not match pattern",
    ],
    ['a source nobody has', { evidence: 'datadog' }, "at '/evidence': value must be one of"],
    ['half a gateway', { defaultGateway: { name: 'public' } }, 'defaultGateway needs both namespace and name'],
  ])('%s is refused by name', async (_, values, message) => {
    await expect(render(values, SYSTEM)).rejects.toThrow(message);
  });
});

describe('optional objects', () => {
  const kinds = async (values: object) => (await render(values, SYSTEM)).map(({ kind }) => kind);
  test('a disruption budget comes with a second replica', async () => {
    expect(await kinds({})).not.toContain('PodDisruptionBudget');
    expect(await kinds({ replicas: 2 })).toContain('PodDisruptionBudget');
  });
  test('a network policy comes when asked for', async () => {
    expect(await kinds({})).not.toContain('NetworkPolicy');
    expect(await kinds({ networkPolicy: { enabled: true } })).toContain('NetworkPolicy');
  });
});

const RBAC = ['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'];

/** Gives the operator of a namespace the rights of the chart, for real. */
async function give(values: object, system: string): Promise<void> {
  const rights = (await render(values, system)).filter(({ kind }) => RBAC.includes(kind));
  await onServer(['apply', '-f', '-'], [namespace(system), ...rights]);
}

/** Asks the server's authorizer, as `kubectl auth can-i` does: "yes" or "no". */
async function may(system: string, question: string, where: string): Promise<string> {
  const [verb = '', resource = '', subresource = ''] = question.split(' ');
  const who = ['--as', `system:serviceaccount:${system}:slipway-operator`, '-n', where];
  const what = ['auth', 'can-i', verb, resource, `--subresource=${subresource}`, ...who];
  return onServer(what).catch((error) => (String(error).includes('exited with 1') ? 'no' : Promise.reject(error)));
}

/** The authorizer learns of new bindings by watching them. */
const soon = { timeout: 10_000 };

describe('rights', () => {
  const STATUS = 'patch trainingjobs.slipway.dev status';

  test('reach every namespace by default', async () => {
    await give({}, 'chart-wide');
    await expect.poll(() => may('chart-wide', STATUS, 'chart-a'), soon).toBe('yes');
    await expect.poll(() => may('chart-wide', 'patch leases.coordination.k8s.io', 'chart-wide'), soon).toBe('yes');
    expect(await may('chart-wide', 'patch leases.coordination.k8s.io', 'chart-a')).toBe('no');
    expect(await may('chart-wide', 'delete inferenceservices.slipway.dev', 'chart-a')).toBe('no');
  });

  test('end at the watched namespaces where some are named', async () => {
    await give({ watchNamespaces: ['chart-a'] }, 'chart-narrow');
    await expect.poll(() => may('chart-narrow', STATUS, 'chart-a'), soon).toBe('yes');
    expect(await may('chart-narrow', STATUS, 'chart-b')).toBe('no');
    expect(await may('chart-narrow', 'get secrets', 'kube-system')).toBe('no');
  });

  test('over what users own come with the intake of CloudEvents, and not before', async () => {
    const ANNOTATE = 'patch inferenceservices.slipway.dev';
    const REVIEW = 'create tokenreviews.authentication.k8s.io';
    await give({}, 'chart-deaf');
    await give({ retrainEvents: { enabled: true } }, 'chart-listens');
    await give({ retrainEvents: { enabled: true }, watchNamespaces: ['chart-a'] }, 'chart-listens-to-one');
    for (const right of [ANNOTATE, REVIEW]) {
      await expect.poll(() => may('chart-listens', right, 'chart-b'), soon).toBe('yes');
      await expect.poll(() => may('chart-listens-to-one', right, 'chart-a'), soon).toBe('yes');
      expect(await may('chart-deaf', right, 'chart-a')).toBe('no');
    }
    expect(await may('chart-listens-to-one', ANNOTATE, 'chart-b')).toBe('no');
  });

  test('over our kinds ask to be part of view, edit and admin', async () => {
    const roles = (await kustomize('default')).filter(({ metadata }) =>
      /^slipway-(view|edit|approver)$/.test(metadata.name),
    );
    expect(Object.fromEntries(roles.map(({ metadata }) => [metadata.name, metadata.labels]))).toEqual({
      'slipway-view': { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
      'slipway-edit': {
        'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
        'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
      },
      'slipway-approver': { 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' },
    });
  });
});

describe('the real Helm', () => {
  test.each(['slipway', 'slipway-crds'] as const)('finds nothing to lint in %s', async (name) => {
    expect(await helm('lint', '--strict', chart(name))).toContain('0 chart(s) failed');
  });

  test('installs, upgrades to no change and removes both, leaving the kinds', async () => {
    const where = ['--kubeconfig', KUBECONFIG, '--namespace', 'chart-helm'];
    await onServer(['apply', '-f', '-'], [namespace('chart-helm')]);
    // The kinds are there already, as the server of the tests comes with them.
    await helm('install', 'kinds', chart('slipway-crds'), '--take-ownership', '--force-conflicts', ...where);
    const notes = await helm('install', 'slipway', chart('slipway'), '--wait=hookOnly', ...where);
    expect(notes).toContain('works in every namespace');
    expect(notes).not.toContain('kinds are missing');

    const what = ['get', 'deployment', 'slipway-operator', '-n', 'chart-helm', '-o', 'jsonpath={.metadata.generation}'];
    expect(await onServer(what)).toBe('1');
    await helm('upgrade', 'slipway', chart('slipway'), '--wait=hookOnly', ...where);
    expect(await onServer(what)).toBe('1');

    for (const release of ['slipway', 'kinds']) await helm('uninstall', release, '--wait=hookOnly', ...where);
    expect(await onServer(['get', 'crd', '-o', 'name'])).toContain('inferenceservices.slipway.dev');
    expect(await onServer(['get', 'deployment', '-n', 'chart-helm', '-o', 'name'])).toBe('');
  });
});
