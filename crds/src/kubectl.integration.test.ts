import { join } from 'node:path';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { validCases } from './testing/cases.ts';
import { testServer } from './testing/server.ts';

const NAMESPACE = 'kubectl-test';
const CRDS = join(import.meta.dirname, '..');
const kubeconfig = inject('kubeconfig');

const kubectl = async (...args: readonly string[]): Promise<string> =>
  run(await findBinary('kubectl', console.error), ['--kubeconfig', kubeconfig, '--namespace', NAMESPACE, ...args]);

beforeAll(async () => {
  await testServer(kubeconfig, NAMESPACE).post('/api/v1/namespaces', { metadata: { name: NAMESPACE } });
});

test('kubectl apply -f crds/ takes the folder, and a second time changes nothing', async () => {
  await kubectl('apply', '-f', CRDS);
  const again = (await kubectl('apply', '-f', CRDS)).split('\n');
  expect(again).toHaveLength(3);
  expect(again.every((line) => line.endsWith(' unchanged'))).toBe(true);
});

const T = '2026-05-01T08:00:00Z';
const condition = (type: string, status: string, reason: string) => ({
  type,
  status,
  reason,
  message: `${reason}, in a sentence.`,
  observedGeneration: 1,
  lastTransitionTime: T,
});
const digest = `sha256:${'ab'.repeat(32)}`;

/** What a controller writes, and the line a person then reads. */
const LINES: readonly (readonly [string, string, object, string, string])[] = [
  [
    'tj',
    'flights',
    {
      phase: 'Running',
      version: '1.4.0',
      restarts: 1,
      progress: { step: 40, total: 100, percent: '40%' },
      conditions: [condition('Ready', 'False', 'Training')],
    },
    'NAME MODEL VERSION PHASE PROGRESS REASON RESTARTS AGE',
    'flights flights 1.4.0 Running 40% Training 1',
  ],
  [
    'mv',
    'flights-1.4.0',
    {
      stage: 'Staging',
      servedBy: ['a', 'b'],
      servedByNames: 'a, b',
      conditions: [condition('Ready', 'True', 'GatesPassed')],
    },
    'NAME MODEL VERSION READY REASON STAGE SERVEDBY AGE',
    'flights-1.4.0 flights 1.4.0 True GatesPassed Staging a, b',
  ],
  [
    'infs',
    'flights',
    {
      stable: { version: '1.4.0', digest, revision: 'a' },
      candidate: { version: '1.5.0', digest, revision: 'b', phase: 'Shifting', step: 1, startedAt: T, weight: 25 },
      conditions: [condition('Ready', 'True', 'Serving'), condition('RolloutComplete', 'False', 'Shifting')],
    },
    'NAME MODEL READY STABLE CANDIDATE WEIGHT ROLLOUT AGE',
    'flights flights True 1.4.0 1.5.0 25 Shifting',
  ],
];

const squeeze = (text: string): string[] => text.split('\n').map((line) => line.trim().replace(/\s+/g, ' '));

describe('kubectl get says the truth in one line', () => {
  test.each(LINES)('of %s', async (short, name, status, head, line) => {
    const minimal = validCases().find((valid) => valid.kind.shortName === short && valid.name.endsWith('/minimal'));
    await kubectl('apply', '-f', join(CRDS, 'testdata', 'valid', `${minimal?.name}.yaml`));
    await kubectl('patch', short, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
    const [header, row = ''] = squeeze(await kubectl('get', short, name));
    expect(header).toBe(head);
    expect(row).toContain(line);
    expect(await kubectl('get', short, name, '-o', 'wide')).toContain('in a sentence.');
  });

  test('of every kind by the category', async () => {
    const names = await kubectl('get', 'slipway', '-o', 'name');
    for (const [, name] of LINES) expect(names).toContain(`/${name}`);
  });
});
