import { evidencePollSchema } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import type { UnderTest } from '../../../test/controllersUnderTest.ts';
import { CountingPods } from '../../../test/countingPods.ts';
import { flightBaseline } from '../../../test/flightRows.ts';
import { ServedModels } from '../../../test/servedModels.ts';
import { inferenceServices } from '../../api/kinds.ts';
import type { FetchText } from '../../measure/fetchText.ts';
import { peersController } from './controller.ts';

const WITHIN = { timeout: 20_000, interval: 25 };
const PERIOD_MS = 200;

let models: ServedModels;
let under: UnderTest;
const counting = new CountingPods(flightBaseline([]), () => new Date());
/** Whom each pod was told of, in order. */
const told: {
  readonly pod: string;
  readonly urls: readonly string[];
  readonly expiresInSeconds: number;
  readonly at: number;
}[] = [];
const fetchText: FetchText = (url, token, signal, body) => {
  const { peers } = evidencePollSchema.parse(JSON.parse(body ?? '{}'));
  if (peers) told.push({ pod: new URL(url).hostname, ...peers, at: Date.now() });
  return counting.fetchText(url, token, signal, body);
};

beforeAll(async () => {
  models = await ServedModels.start(inject('kubeconfig'), () => [peersController({ fetchText, periodMs: PERIOD_MS })]);
  ({ under } = models);
});
afterAll(() => under.stop());
beforeEach(() => {
  told.length = 0;
});

const hostOf = (url: string): string => new URL(url).hostname;

test('the pods of a quiet service are told of each other again and again, for labels that come hours later', async () => {
  await models.firstVersion('quiet');
  await vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(6), WITHIN);
  const pods = [...new Set(told.map(({ pod }) => pod))];
  expect(pods).toHaveLength(2);
  for (const { pod, urls, expiresInSeconds } of told) {
    expect(urls.map(hostOf)).toEqual(pods.filter((other) => other !== pod));
    expect(expiresInSeconds * 1000).toBeGreaterThan(2 * 40_000);
  }
});

test('and not by this any more where the loop over drift tells them', async () => {
  await vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(2), WITHIN);
  await under.client.merge(inferenceServices, models.key('quiet'), { spec: { drift: { window: '1h' } } });
  await vi.waitFor(() => expect(Date.now() - (told.at(-1)?.at ?? 0)).toBeGreaterThan(5 * PERIOD_MS), WITHIN);
});
