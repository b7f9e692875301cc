import type { Condition } from '@slipway/crds';
import { expect, test } from 'vitest';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import type { Client } from '../../kube/client.ts';
import type { Stored } from '../../kube/wire.ts';
import { writeStatus } from './writeStatus.ts';

const NOW = new Date('2030-01-01T12:00:00Z');
const SINCE = '2030-01-01T00:00:00Z';
const condition = (type: string): Condition => ({
  type,
  status: 'True',
  reason: 'Told',
  message: type,
  observedGeneration: 1,
  lastTransitionTime: SINCE,
});
const drift = { at: SINCE, version: '1.0.0', n: 300 };
const others = { conditions: ['DriftDetected'], fields: ['drift'] };

const stored = {
  apiVersion: 'slipway.dev/v1alpha1',
  kind: 'InferenceService',
  metadata: { name: 'flights', namespace: 'shop', generation: 1, uid: 'u', resourceVersion: '1' },
  status: { observedGeneration: 1, replicas: 2, conditions: [condition('Ready'), condition('DriftDetected')], drift },
} as unknown as Stored<InferenceService>;

/** What a pass writes that finds Ready as it is and so many pods. */
async function written(replicas: number): Promise<InferenceService['status'] | undefined> {
  const calls: InferenceService[] = [];
  const client = {
    applyStatus: async (_: unknown, object: InferenceService) => {
      calls.push(object);
      return object;
    },
  } as unknown as Client;
  const { lastTransitionTime: _t, observedGeneration: _g, ...ready } = condition('Ready');
  await writeStatus(client, inferenceServices, stored, {
    status: { replicas },
    observed: [ready],
    now: NOW,
    fieldManager: 'slipway-inferenceservice',
    others,
    signal: new AbortController().signal,
  });
  return calls[0]?.status;
}

test('what others wrote is no change: nothing is written', async () => {
  expect(await written(2)).toBeUndefined();
});

test('what others wrote is not applied: their field managers keep owning it', async () => {
  expect(await written(3)).toEqual({ observedGeneration: 1, replicas: 3, conditions: [condition('Ready')] });
});

/** '🚀' cut in half, as the end of a trainer's words may be, and as the server gives it back. */
const [HALF, KEPT] = ['\ud83d', '\ufffd'];

test('a text that was cut within a character is what the server keeps: the next pass writes nothing', async () => {
  const calls: unknown[] = [];
  const client = {
    applyStatus: async (_: unknown, object: InferenceService) => {
      calls.push(object.status);
      return object;
    },
  } as unknown as Client;
  const object = { ...stored, status: { observedGeneration: 1, rolloutID: KEPT, conditions: [] } } as typeof stored;
  await writeStatus(client, inferenceServices, object, {
    status: { rolloutID: HALF },
    observed: [],
    now: NOW,
    fieldManager: 'slipway-inferenceservice',
    signal: new AbortController().signal,
  });
  expect(calls).toEqual([]);
});
