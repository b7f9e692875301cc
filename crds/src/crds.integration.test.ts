import { beforeAll, describe, expect, inject, test } from 'vitest';
import { crdName } from './generate/crd.ts';
import { invalidCases, predecessor, validCases } from './testing/cases.ts';
import { testServer } from './testing/server.ts';
import { KINDS } from './v1alpha1/kinds.ts';

const NAMESPACE = 'crds-test';
const STRICT = 'fieldValidation=Strict';
const REHEARSE = `${STRICT}&dryRun=All`;
const server = testServer(inject('kubeconfig'), NAMESPACE);

beforeAll(async () => {
  await server.post('/api/v1/namespaces', { metadata: { name: NAMESPACE } });
});

interface Definition {
  readonly metadata: { readonly generation: number };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}
const definition = async (name: string): Promise<Definition> =>
  (await server.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`)).body as unknown as Definition;

describe('the API server serves', () => {
  test.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s, from a structural schema', async (_, kind) => {
    const { status } = await definition(crdName(kind));
    const conditions = Object.fromEntries(status.conditions.map((c) => [c.type, c.status]));
    expect(conditions).toEqual({ NamesAccepted: 'True', Established: 'True' });
  });

  test('each kind in the category slipway and by its short name', async () => {
    const { body } = await server.get('/apis/slipway.dev/v1alpha1');
    const resources = (body['resources'] as { name: string; shortNames?: string[]; categories?: string[] }[]).filter(
      ({ name }) => !name.includes('/'),
    );
    expect(Object.fromEntries(resources.map(({ name, shortNames }) => [name, shortNames]))).toEqual({
      trainingjobs: ['tj'],
      modelversions: ['mv'],
      inferenceservices: ['infs'],
    });
    expect(resources.every(({ categories }) => categories?.includes('slipway'))).toBe(true);
  });
});

describe('the API server accepts', () => {
  test.each(validCases())('$name', async ({ kind, manifest }) => {
    const { status, reasons } = await server.create(kind, manifest, REHEARSE);
    expect({ status, reasons }).toEqual({ status: 201, reasons: [] });
  });
});

describe('the API server refuses, with the sentence that the case names', () => {
  test.each(invalidCases().filter(({ after }) => after === undefined))('$name', async ({ kind, manifest, refused }) => {
    const { status, reasons } = await server.create(kind, manifest, REHEARSE);
    expect(status).toBe(422);
    const field = refused.field ?? '<nil>';
    expect(reasons).toContainEqual(expect.stringContaining(`${field}: `));
    expect(reasons.filter((reason) => reason.startsWith(`${field}: `)).join('\n')).toContain(refused.message);
  });
});

describe('the API server refuses as a change of an object', () => {
  test.each(invalidCases().filter(({ after }) => after !== undefined))('$name', async (invalid) => {
    const { kind, manifest, refused } = invalid;
    const name = {
      metadata: { name: kind.kind === 'ModelVersion' ? manifest.metadata.name : `after-${invalid.after}` },
    };
    const before = await server.apply(kind, { ...predecessor(invalid).manifest, ...name }, STRICT);
    expect(before.reasons).toEqual([]);
    const { status, reasons } = await server.apply(kind, { ...manifest, ...name }, REHEARSE);
    expect(status).toBe(422);
    expect(reasons.join('\n')).toContain(`${refused.field}: `);
    expect(reasons.join('\n')).toContain(refused.message);
  });
});

describe('the API server', () => {
  const minimal = (kindName: string) => {
    const found = validCases().find(({ kind, name }) => kind.kind === kindName && name.endsWith('/minimal'));
    if (found === undefined) throw new Error(`${kindName} has no minimal case`);
    return found;
  };

  test.each([
    [
      'TrainingJob',
      {
        model: { name: 'flights', version: 'NextMinor' },
        image: 'example.com/flights-train:1',
        nodes: 1,
        processesPerNode: 'Auto',
        workspace: { claim: { size: '1Gi' } },
        publish: { store: 'pvc://models' },
        failure: {
          restarts: 0,
          onDisruption: 'Restart',
          disruptions: 20,
          startTimeout: '10m',
          excludeNodes: '24h',
        },
      },
    ],
    [
      'InferenceService',
      {
        model: { name: 'flights', version: '1.4.0' },
        predictor: { replicas: { min: 1 } },
        traffic: { provider: 'Gateway', pathPrefix: '/' },
        rollout: {
          steps: [{ weight: 100 }],
          bake: '0s',
          surge: 'Auto',
          onFail: 'RollBack',
          onBlind: 'Hold',
          onInconclusive: 'Hold',
          patience: '30m',
          confidence: { fail: '0.999', pass: '0.95' },
          progressDeadline: '10m',
        },
      },
    ],
  ])('fills in the defaults of a minimal %s', async (kindName, spec) => {
    const { kind, manifest } = minimal(kindName);
    expect((await server.create(kind, manifest, REHEARSE)).body['spec']).toEqual(spec);
  });

  test.each(KINDS)('refuses a misspelt field of $kind by name', async ({ kind: kindName }) => {
    const { kind, manifest } = minimal(kindName);
    const misspelt = { ...manifest, spec: { ...(manifest.spec as object), gatez: [] } };
    const { status, body } = await server.create(kind, misspelt, REHEARSE);
    expect(status).toBe(400);
    expect(body['message']).toContain('unknown field "spec.gatez"');
  });

  test('lets the budgets of a running TrainingJob change', async () => {
    const { kind, manifest } = minimal('TrainingJob');
    const named = { ...manifest, metadata: { name: 'budget' } };
    expect((await server.apply(kind, named, STRICT)).reasons).toEqual([]);
    const raised = { ...named, spec: { ...(named.spec as object), failure: { restarts: 5, deadline: '6h' } } };
    expect((await server.apply(kind, raised, STRICT)).reasons).toEqual([]);
  });

  test.each(validCases())('takes $name a second time as no change', async ({ kind, manifest, name }) => {
    const own = kind.kind === 'ModelVersion' ? {} : { metadata: { name: name.split('/').at(-1) ?? '' } };
    const version = async () => {
      const { body } = await server.apply(kind, { ...manifest, ...own }, STRICT);
      return (body['metadata'] as { resourceVersion?: string }).resourceVersion;
    };
    const first = await version();
    expect(first).toBeDefined();
    expect(await version()).toBe(first);
  });
});
