import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterDirectory } from '@slipway/hack/local-cluster/paths.ts';
import { parseRecord } from '@slipway/hack/local-cluster/processRecord.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hack } from '../ground/ground.ts';
import { pacedTraining } from '../story/paced.ts';
import { openWorkshop, type Workshop } from '../story/workshop.ts';

const NAMESPACE = 'training-outages';
const PHASES = ['Pending', 'Running', 'Publishing', 'Succeeded'] as const;

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
  test.each(PHASES.slice(0, -1))('%s', (phase) =>
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
