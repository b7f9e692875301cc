import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { type InferenceService, inferenceServices } from '../api/kinds.ts';
import { connect } from '../kube/connect.ts';
import { isInvalid } from '../kube/errors.ts';
import { keyOf } from '../kube/resource.ts';
import { OPENAPI, olderKinds } from './older.ts';

test('the definitions of this release lack nothing as a real API server publishes them, and are all seen', async () => {
  const { transport, close } = await connect({ kubeconfig: inject('kubeconfig') });
  onTestFinished(close);
  const published = (await transport.call({ verb: 'get', method: 'GET', path: OPENAPI })) as {
    components: { schemas: Record<string, { properties: Record<string, { properties: Record<string, unknown> }> }> };
  };
  expect(olderKinds(published)).toEqual([]);

  const { schemas } = published.components;
  for (const kind of ['TrainingJob', 'ModelVersion', 'InferenceService']) {
    delete schemas[`dev.slipway.v1alpha1.${kind}`]?.properties['status']?.properties['conditions'];
  }
  expect(olderKinds(published).map(({ plural, lacking }) => [plural, lacking])).toEqual([
    ['trainingjobs', [['status', 'conditions']]],
    ['modelversions', [['status', 'conditions']]],
    ['inferenceservices', [['status', 'conditions']]],
  ]);
});

const CRD = join(import.meta.dirname, '..', '..', '..', 'crds', 'slipway.dev_inferenceservices.yaml');
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** The definition with, or without, what it demands of the steps of a rollout. */
function definition(strict: boolean): unknown {
  const parsed = parse(readFileSync(CRD, 'utf8'));
  const { rollout } = parsed.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties;
  if (!strict) delete rollout.properties.steps['x-kubernetes-validations'];
  return { spec: { versions: parsed.spec.versions } };
}

test('kserve#4798: what an earlier release let in is still changed, told of and deleted under rules that came later', async () => {
  const { client, transport, close } = await connect({ kubeconfig: inject('kubeconfig') });
  onTestFinished(close);
  const define = (strict: boolean) =>
    transport.call({
      verb: 'patch',
      method: 'PATCH',
      path: `${DEFINITIONS}/inferenceservices.slipway.dev`,
      contentType: 'application/merge-patch+json',
      body: definition(strict),
    });
  onTestFinished(() => define(true).then(() => undefined));
  const by = { fieldManager: 'slipway-test' };
  const service = (name: string, steps: readonly object[]) =>
    ({
      apiVersion: 'slipway.dev/v1alpha1',
      kind: 'InferenceService',
      metadata: { name, namespace: 'default' },
      spec: { model: { name: 'flights', version: '1.4.0' }, rollout: { steps } },
    }) as unknown as InferenceService;
  const old = service('of-before', [{ weight: 50 }]);
  const taken = (name: string) =>
    client.apply(inferenceServices, service(name, [{ weight: 50 }]), { ...by, dryRun: true }).then(
      () => true,
      (error: unknown) => !isInvalid(error),
    );

  await define(false);
  await vi.waitUntil(() => taken('new'), { timeout: 20_000 });
  await client.apply(inferenceServices, old, by);
  await define(true);
  await vi.waitUntil(async () => !(await taken('new')), { timeout: 20_000 });

  const key = keyOf(old);
  const changed = await client.merge(inferenceServices, key, {
    metadata: { labels: { team: 'air' } },
    spec: { predictor: { replicas: { min: 3 } } },
  });
  expect([changed.metadata.labels, changed.spec.predictor.replicas.min]).toEqual([{ team: 'air' }, 3]);
  const told = { ...old, status: { observedGeneration: 2 } } as InferenceService;
  expect((await client.applyStatus(inferenceServices, told, by)).status).toMatchObject({ observedGeneration: 2 });
  await expect(
    client.merge(inferenceServices, key, { spec: { rollout: { steps: [{ weight: 60 }] } } }),
  ).rejects.toThrow(/the last step must be/);
  await client.delete(inferenceServices, key);
  expect(await client.get(inferenceServices, key)).toBeUndefined();
});
