import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { expect, inject, onTestFinished, test } from 'vitest';
import { connect } from '../kube/connect.ts';
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
