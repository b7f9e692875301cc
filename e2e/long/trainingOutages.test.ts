import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { node } from '@slipway/hack/local-cluster/host/settings.ts';
import { clusterDirectory } from '@slipway/hack/local-cluster/paths.ts';
import { parseRecord } from '@slipway/hack/local-cluster/processRecord.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hack } from '../ground/ground.ts';
import { operatorIsBack } from '../ground/operator.ts';
import { isMidway, MIDWAY, pacedTraining } from '../story/paced.ts';
import { openWorkshop, type Workshop } from '../story/workshop.ts';

const NAMESPACE = 'training-outages';
const PHASES = ['Pending', 'Running', 'Publishing'] as const;
/** Five minutes: a node is given up after one, and what runs on it goes on training until its kubelet is back. */
const LONG = { env: [{ name: 'STEPS', value: '1500' }] };

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop(NAMESPACE);
});
afterAll(() => shop?.close());

async function killProcess(name: string): Promise<void> {
  const record = parseRecord(await readFile(join(clusterDirectory, 'pids', `${name}.pid`), 'utf8'));
  if (record === undefined) throw new Error(`${name} does not run`);
  process.kill(record.pid, 'SIGKILL');
}

describe('a run trains once and makes one version though the API server was killed while it was', () => {
  test.each(PHASES)('%s', (phase) =>
    shop.told(async () => {
      const name = `api-${phase.toLowerCase()}`;
      await shop.start(pacedTraining(NAMESPACE, name));
      await shop.when(name, `to be ${phase}`, ({ status }) => status?.phase === phase);
      await killProcess('kube-apiserver');
      await hack('cluster', ['up']);
      const { status } = await shop.succeeded(name);
      expect(status).toMatchObject({ attempt: 0, restarts: 0 });
      expect([status?.disruptions ?? 0, status?.attempts ?? []]).toEqual([0, []]);
      expect(await shop.versionsOf(name)).toHaveLength(1);
    }),
  );
});

/** Silent, not gone: its containers run on, and nobody hears of them. The cluster has no other node to go to. */
test('a run whose node falls silent says so, waits for a node, and goes on from its newest checkpoint once there is one', () =>
  shop.told(async () => {
    const name = 'silent-node';
    await shop.start(pacedTraining(NAMESPACE, name, LONG));
    await shop.when(name, 'to be midway', isMidway);
    await killProcess('kubelet');
    try {
      const lost = await shop.when(name, 'to lose its node', ({ status }) => (status?.attempts?.length ?? 0) > 0);
      expect(lost.status).toMatchObject({ phase: 'Pending', disruptions: 1, restarts: 0 });
      expect(lost.status?.attempts).toMatchObject([{ attempt: 0, class: 'NodeLost', node: node.name }]);
      expect(lost.status?.attempts?.[0]?.message).toMatch(/lost its node slipway-node, which does not answer/);
      const waiting = await shop.when(
        name,
        'to say why no node takes it',
        ({ status }) => status?.placement !== undefined,
      );
      expect(waiting.status?.placement).toMatch(/0 of 1 node.*unreachable/);
    } finally {
      await hack('cluster', ['up']);
      await operatorIsBack(shop.stage.ground);
    }
    const { status } = await shop.succeeded(name);
    expect(status).toMatchObject({ attempt: 1, disruptions: 1, restarts: 0 });
    expect(Number(status?.resumedFrom)).toBeGreaterThan(MIDWAY);
    expect(await shop.versionsOf(name)).toHaveLength(1);
  }));
