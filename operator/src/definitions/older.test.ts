import { crd } from '@slipway/crds/generate/crd.ts';
import { KINDS } from '@slipway/crds/v1alpha1/kinds.ts';
import { describe, expect, test, vi } from 'vitest';
import { inferenceServices, trainingJobs } from '../api/kinds.ts';
import type { Client } from '../kube/client.ts';
import { fieldsLacking, without } from './lacking.ts';
import { olderKinds, olderText } from './older.ts';
import { watchDefinitions } from './watch.ts';

/** The definitions as the API server publishes them; `change` makes them those of an earlier release. */
function published(change: (schema: Record<string, never>, kind: string) => void = () => undefined) {
  const schemas = Object.fromEntries(
    KINDS.map((kind) => {
      const { openAPIV3Schema } = structuredClone(crd(kind)).spec.versions[0]?.schema ?? {};
      change(openAPIV3Schema as unknown as Record<string, never>, kind.kind);
      const gvk = [{ group: 'slipway.dev', version: 'v1alpha1', kind: kind.kind }];
      return [`dev.slipway.v1alpha1.${kind.kind}`, { ...openAPIV3Schema, 'x-kubernetes-group-version-kind': gvk }];
    }),
  );
  return { components: { schemas } };
}
const lost = (fields: Record<string, never> | undefined, ...path: readonly string[]): void => {
  const [first = '', ...rest] = path;
  if (rest.length === 0) delete fields?.[first];
  else lost((fields?.[first] as { properties?: Record<string, never> } | undefined)?.properties, ...rest);
};
const withoutRestarts = published((schema, kind) => {
  if (kind !== 'TrainingJob') return;
  lost(schema['properties'], 'spec', 'failure', 'restarts');
  lost(schema['properties'], 'status', 'restarts');
});

describe('definitions', () => {
  test('of this release lack nothing, and those that are not there are told by others', () => {
    expect(olderKinds(published())).toEqual([]);
    expect(olderKinds({})).toEqual([]);
  });

  test('of an earlier one are named with what they lack, and what to run', () => {
    const [older] = olderKinds(withoutRestarts);
    expect(older && olderText(older)).toBe(
      "CustomResourceDefinition trainingjobs.slipway.dev is older than this operator: it lacks spec.failure.restarts, status.restarts, which can't be asked for and is not told until you run helm upgrade slipway-crds, or kubectl apply -f crds/.",
    );
  });
});

test('fields of items and of values of maps are found, and left out', () => {
  const wanted = {
    properties: {
      runs: { items: { properties: { a: {}, b: {} } } },
      by: { additionalProperties: { properties: { c: {} } } },
    },
  };
  const served = { properties: { runs: { items: { properties: { a: {} } } }, by: { additionalProperties: {} } } };
  expect(fieldsLacking(wanted, served)).toEqual([
    ['runs', '*', 'b'],
    ['by', '*', 'c'],
  ]);
  expect(without({ runs: [{ a: 1, b: 2 }, { a: 3 }] }, ['runs', '*', 'b'])).toEqual({ runs: [{ a: 1 }, { a: 3 }] });
  expect(without({ by: { x: { c: 1, d: 2 } } }, ['by', '*', 'c'])).toEqual({ by: { x: { d: 2 } } });
  expect(without({ runs: 1 }, ['nothing', 'here'])).toEqual({ runs: 1 });
});

test('a status is told as far as it is known, until the definitions are as new as the operator', async () => {
  const said: string[] = [];
  const log = {
    warn: (_: object, text: string) => said.push(text),
    info: (_: object, text: string) => said.push(text),
  };
  const answers = [withoutRestarts, withoutRestarts, published()];
  const applyStatus = vi.fn(async (_: unknown, object: unknown) => object as never);
  const { client, run } = await watchDefinitions({
    client: { applyStatus } as unknown as Client,
    transport: { call: async () => answers.shift() },
    log,
    clock: { sleep: async () => undefined },
  });
  const object = {
    apiVersion: 'v',
    kind: 'k',
    metadata: { name: 'a' },
    status: { restarts: 1, phase: 'Running' },
  } as never;
  await client.applyStatus(trainingJobs, object, { fieldManager: 'x' });
  expect(applyStatus.mock.lastCall?.[1]).toMatchObject({ status: { phase: 'Running' } });
  expect(applyStatus.mock.lastCall?.[1]).not.toHaveProperty('status.restarts');
  await client.applyStatus(inferenceServices, object, { fieldManager: 'x' });
  expect(applyStatus.mock.lastCall?.[1]).toBe(object);

  await run(new AbortController().signal);
  await client.applyStatus(trainingJobs, object, { fieldManager: 'x' });
  expect(applyStatus.mock.lastCall?.[1]).toBe(object);
  expect(said).toEqual([expect.stringContaining('is older than'), expect.stringContaining('as new as this operator')]);
});

test('an API server that can not be asked stops nobody', async () => {
  const call = () => Promise.reject(new Error('no such page'));
  const log = { warn: vi.fn(), info: vi.fn() };
  const clock = { sleep: async () => undefined };
  const watch = await watchDefinitions({ client: {} as Client, transport: { call }, log, clock });
  await watch.run(new AbortController().signal);
  expect(log.warn).not.toHaveBeenCalled();
});
