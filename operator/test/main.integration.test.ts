import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { installGatewayApi } from './gatewayApiDefinitions.ts';
import { type Replica, startReplica } from './replicaProcess.ts';

const WITHIN = { timeout: 30_000, interval: 50 };
const MAIN = new URL('../src/main.ts', import.meta.url);

let replica: Replica;
// Kinds that are not there are waited for, for ten seconds.
beforeAll(() => installGatewayApi(inject('kubeconfig')));
afterEach(async () => {
  replica.kill('SIGKILL');
  await replica.ended;
});

const start = (env: Record<string, string> = {}): void => {
  // A lease of its own: that of replicas which another file killed is waited for until it is over.
  const own = { SLIPWAY_OPERATOR_NAMESPACE: 'kube-system', ...env };
  replica = startReplica('main', inject('kubeconfig'), own, MAIN);
};
const line = (msg: string) => replica.lines.find((l) => l.msg === msg);
const page = async (path: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${line('started')?.['health']}${path}`)).status;

test('the operator starts with all its controllers, leads, answers its probes and ends on SIGTERM', async () => {
  start({ SLIPWAY_RETRAIN_EVENTS_PORT: '0' });
  await vi.waitFor(() => expect(replica.leads()).toBe(true), WITHIN);
  expect(await page('/livez')).toBe(200);
  expect(await page('/metrics')).toBe(200);
  const intake = line('takes CloudEvents that ask for a retraining')?.['port'];
  const stranger = await fetch(`http://127.0.0.1:${intake}/namespaces/a/inferenceservices/b/retrain`, {
    method: 'POST',
  });
  expect(stranger.status).toBe(401);
  expect(replica.lines.filter(({ msg }) => msg?.includes('is older than'))).toEqual([]);
  replica.kill('SIGTERM');
  expect(await replica.ended).toBe(0);
  expect(replica.lines.at(-1)?.msg).toBe('stopped');
});

test('bad settings are named on one line each before anything starts', async () => {
  start({ SLIPWAY_RUNTIME_IMAGE: '', SLIPWAY_LOG_LEVEL: 'loud' });
  expect(await replica.ended).toBe(2);
  expect(replica.errors()).toBe(
    'SLIPWAY_RUNTIME_IMAGE= must be the image of the runtime server, such as example.com/slipway/runtime:0.1.0\n' +
      'SLIPWAY_LOG_LEVEL=loud must be one of trace, debug, info, warn, error\n',
  );
});
