import { LABELS } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { expectStatus } from '../../test/expectStatus.ts';
import { ServedModels } from '../../test/servedModels.ts';
import { deployments, type Service, services } from '../api/builtin.ts';
import { httpRoutes } from '../api/gateway.ts';
import type { Stored } from '../kube/wire.ts';
import { writeSlices } from './testing/endpoints.ts';

let models: ServedModels;

beforeAll(async () => {
  models = await ServedModels.start(inject('kubeconfig'));
});
afterAll(() => models.under.stop());

const revisionOf = ({ metadata }: { metadata: { labels?: Record<string, string> } }): string =>
  metadata.labels?.[LABELS.revision] ?? '';

/** Waits until the Service of a name selects so, `undefined` all revisions, and lets Kubernetes follow. */
async function selecting(name: string, revision: string | undefined): Promise<Stored<Service>> {
  const service = await models.under.until(services, name, ({ spec }) =>
    expect(spec?.selector?.[LABELS.revision]).toBe(revision),
  );
  await writeSlices(models.under.client, service);
  return service;
}

test('a canary and its rollback need no gateway: pods are the weights, and one write takes the candidate out', async () => {
  const { under, hand } = models;
  const name = 'plain';
  await models.modelVersion(name, 0);
  const traffic = { provider: 'Replicas' as const, gateway: undefined as never, pathPrefix: '/' };
  await models.service(name, { steps: [{ weight: 50 }, { weight: 100 }] }, undefined, traffic);
  const stable = await models.deploymentOf('1.0.0', 2);
  const served = await hand.serve(stable, 2);
  await selecting(name, revisionOf(stable));
  const serving = await models.untilCondition(name, 'Ready', 'True', 'Serving');
  expect(serving.status?.url).toBe(`http://${name}.${under.namespace}.svc`);

  await models.modelVersion(name, 1);
  await models.want(name, 1);
  const candidate = await models.deploymentOf('1.1.0', 2);
  const counted = await hand.serve(candidate, 2);
  await selecting(name, undefined);
  const shifting = await models.untilCandidate(name, { phase: 'Shifting', weight: 50 });
  expect(shifting.status?.traffic?.desired).toEqual({ stable: 5000, candidate: 5000 });
  served.ok += 100;
  counted.ok += 50;
  counted.serverError += 50;

  await selecting(name, revisionOf(stable));
  const rolledBack = await models.untilCondition(name, 'Stalled', 'True', 'RolledBack');
  expect(expectStatus(rolledBack)).toMatchObject({ Ready: 'True', RolloutComplete: 'False' });
  // The Service of a version goes last: it keeps the record of what ran until nothing does.
  for (const kind of [deployments, services]) await under.untilGone(kind, candidate.metadata.name);
  expect(await under.client.list(httpRoutes, under.namespace)).toEqual([]);
  const ways = await under.client.list(services, under.namespace);
  expect(ways.map(({ metadata }) => metadata.name).sort()).toEqual([name, stable.metadata.name].sort());
});
