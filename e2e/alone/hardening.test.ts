import { type Pod, pods } from '@slipway/operator/api/builtin.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ground, hack, openGround } from '../ground/ground.ts';
import { OPERATOR_NAMESPACE } from '../ground/install.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

const containers = (pod: Pod) => [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];

test('the operator runs hardened', async () => {
  const running = await ground.client.list(pods, OPERATOR_NAMESPACE);
  expect(running.length).toBeGreaterThan(0);
  for (const container of running.flatMap(containers)) {
    expect(container.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  }
});

test('a pod that is not hardened is refused where ours run', async () => {
  const bare = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bare', namespace: OPERATOR_NAMESPACE },
    spec: { containers: [{ name: 'bare', image: 'slipway.dev/runtime:dev' }] },
  };
  await expect(ground.client.create(pods, bare, { dryRun: true })).rejects.toThrow('restricted');
});

test('nothing has tried to leave the machine', async () => {
  expect(await hack('cluster', ['status'])).toMatch(/reject\w*\W+0\b/i);
});
