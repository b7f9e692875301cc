import { CALIBRATION_BINS, type Evidence } from '@slipway/crds/contract';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import type { UnderTest } from '../../../test/controllersUnderTest.ts';
import { CountingPods } from '../../../test/countingPods.ts';
import { expectStatus } from '../../../test/expectStatus.ts';
import { type FlightRow, flightBaseline, flightRows } from '../../../test/flightRows.ts';
import { ServedModels } from '../../../test/servedModels.ts';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import { events } from '../../kube/events.ts';
import type { Stored } from '../../kube/wire.ts';
import { driftMeter } from '../../telemetry/driftMetrics.ts';
import { driftController } from './controller.ts';

const WITHIN = { timeout: 20_000, interval: 25 };
const SLOT = 5 * 60_000;

const rows = flightRows();
const baseline = flightBaseline(rows.filter((_, i) => i % 2 === 0));
const asked = rows.filter((_, i) => i % 2 === 1).map((_, i, all) => all[(i * 7919) % all.length] as FlightRow);
const long = asked.filter(({ distance }) => distance > 1000);

let models: ServedModels;
let under: UnderTest;
let now = new Date('2030-01-01T00:00:00Z');
let pods = new CountingPods(baseline, () => now);
const registry = new Registry();

beforeAll(async () => {
  const around = {
    fetchText: (...ask: Parameters<CountingPods['fetchText']>) => pods.fetchText(...ask),
    now: () => now,
  };
  const meter = driftMeter(registry);
  models = await ServedModels.start(inject('kubeconfig'), (config) => [
    driftController({ ...config, driftPeriodMs: 100 }, meter, around),
  ]);
  ({ under } = models);
});
afterAll(() => under.stop());
beforeEach(() => {
  pods = new CountingPods(baseline, () => now);
});

const setDrift = (name: string, drift: object | null): Promise<Stored<InferenceService>> =>
  under.client.merge(inferenceServices, models.key(name), { spec: { drift } });

/** Time goes on, and every pod is read at the new time. */
async function later(ms: number): Promise<void> {
  now = new Date(now.getTime() + ms);
  const before = pods.reads;
  await vi.waitFor(() => expect(pods.reads).toBeGreaterThanOrEqual(before + 2), WITHIN);
}
/** So many slots go by, in each of which the pods are asked about some of these rows. */
async function hours(slots: number, of: readonly FlightRow[], each = 150): Promise<void> {
  for (let slot = 0; slot < slots; slot += 1) {
    const from = (slot * each) % (of.length - each);
    pods.ask(of.slice(from, from + each));
    await later(SLOT);
  }
}
const untilDrift = (name: string, status: string, reason: string): Promise<Stored<InferenceService>> =>
  models.untilCondition(name, 'DriftDetected', status, reason);
const toldOf = async (name: string): Promise<string[]> =>
  (await under.client.list(events, under.namespace))
    .filter(({ regarding }) => regarding.name === name)
    .map(({ reason }) => reason)
    .filter((reason) => reason.startsWith('Drift'))
    .sort();
const metricLines = async (name: string): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line.includes(`service="${name}"`));

test('kserve#4314: real flights: no drift, then other flights are a drift that names the distance, then it is gone', async () => {
  await models.firstVersion('flights');
  await setDrift('flights', { window: '1h', minSamples: 200 });
  await untilDrift('flights', 'False', 'InsufficientData');
  await hours(6, asked);
  const calm = await untilDrift('flights', 'False', 'NoDrift');
  expect(expectStatus(calm)).toMatchObject({ Ready: 'True', DriftDetected: 'False' });

  await hours(6, long);
  const drifted = await untilDrift('flights', 'True', 'DriftDetected');
  expect(drifted.status?.drift?.worst?.[0]).toMatchObject({
    name: 'distance',
    measure: 'psi',
    limit: '0.2',
    drifted: true,
  });
  const message = drifted.status?.conditions?.find(({ type }) => type === 'DriftDetected')?.message;
  expect(message).toMatch(/^distance psi [\d.]+ \([\d.]+ to [\d.]+\), limit 0\.2, [\d,]+ rows/);
  expect(await metricLines('flights')).toContain(
    `slipway_drift_detected{namespace="${under.namespace}",service="flights"} 1`,
  );
  expect(
    (await metricLines('flights')).filter((line) => line.includes('feature="distance",measure="psi"')),
  ).toHaveLength(2);

  await under.restart();
  await later(SLOT);
  await untilDrift('flights', 'True', 'DriftDetected'); // the window is empty again, and no rows end no drift

  await hours(14, asked);
  await untilDrift('flights', 'False', 'NoDrift');
  await vi.waitFor(async () => expect(await toldOf('flights')).toEqual(['DriftDetected', 'DriftGone']), WITHIN);
  await models.remove('flights');
  await vi.waitFor(async () => expect(await metricLines('flights')).toEqual([]), WITHIN);
});

test('two controllers write one status: neither takes from the other, and neither writes for nothing', async () => {
  await models.firstVersion('shared');
  await setDrift('shared', { window: '1h', minSamples: 200 });
  await hours(5, long);
  const drifted = await untilDrift('shared', 'True', 'DriftDetected');

  const touched = await under.client.merge(inferenceServices, models.key('shared'), {
    spec: { predictor: { replicas: { min: 3 } } },
  });
  const seen = await under.until(inferenceServices, 'shared', ({ status }) => {
    expect(status?.observedGeneration).toBe(touched.metadata.generation);
    expect(status?.replicas).toBe(3);
    for (const { observedGeneration } of status?.conditions ?? [])
      expect(observedGeneration).toBe(touched.metadata.generation);
  });
  expect(seen.status?.drift?.worst?.[0]?.name).toBe('distance');
  expect(expectStatus(seen)).toMatchObject({ DriftDetected: 'True', Ready: 'True' });
  const since = (of: Stored<InferenceService>) => of.status?.conditions?.find(({ type }) => type === 'DriftDetected');
  expect(since(seen)?.lastTransitionTime).toBe(since(drifted)?.lastTransitionTime);

  const quiet = await under.until(inferenceServices, 'shared');
  for (let i = 0; i < 5; i += 1) await later(20_000);
  const after = await under.until(inferenceServices, 'shared');
  expect(after.metadata.resourceVersion).toBe(quiet.metadata.resourceVersion);

  await setDrift('shared', { psi: '50' });
  const raised = await untilDrift('shared', 'False', 'NoDrift'); // at once: nobody waits for the next slot
  expect(raised.status?.drift?.worst?.find(({ name }) => name === 'distance')?.limit).toBe('50');

  await setDrift('shared', null);
  const removed = await under.until(inferenceServices, 'shared', ({ status }) => {
    expect(status?.drift).toBeUndefined();
    expect(status?.conditions?.map(({ type }) => type)).not.toContain('DriftDetected');
  });
  expect(expectStatus(removed)).toMatchObject({ Ready: 'True' });
  expect(removed.status?.stable?.version).toBe('1.0.0');
  expect(await metricLines('shared')).toEqual([]);
  await models.remove('shared');
});

test('pods that can not be read, a model without a baseline and evidence that does not fit are told as such', async () => {
  await models.firstVersion('odd');
  pods.answering = false;
  await setDrift('odd', { window: '1h' });
  await untilDrift('odd', 'False', 'Blind');
  pods.answering = true;
  pods.givesBaseline = false;
  const saysNo = async (text: string) =>
    under.until(inferenceServices, 'odd', ({ status }) =>
      expect(status?.conditions?.find(({ type }) => type === 'DriftDetected')?.message).toBe(text),
    );
  await later(20_000);
  await saysNo('No pod of the stable version gave its baseline.json.');
  pods.givesBaseline = true;
  await later(20_000);
  await untilDrift('odd', 'False', 'InsufficientData');

  pods.distort = (evidence) => ({ ...evidence, features: evidence.features?.slice(1) });
  await later(SLOT);
  const misfit = await untilDrift('odd', 'False', 'BaselineMismatch');
  expect(misfit.status?.conditions?.find(({ type }) => type === 'DriftDetected')?.message).toBe(
    'The evidence does not fit baseline.json: the pods do not count feature distance.',
  );
  await setDrift('odd', null);
  await under.until(inferenceServices, 'odd', ({ status }) =>
    expect(status?.conditions?.map(({ type }) => type)).not.toContain('DriftDetected'),
  );

  pods = new CountingPods(baseline, () => now);
  pods.baseline = undefined;
  await setDrift('odd', { window: '1h', ignore: ['dist'] });
  await untilDrift('odd', 'False', 'NoBaseline');
  await models.remove('odd');
});

/** Labels of answers, 0.7 of them wrong. Once `oneTells`, one pod says of each new one that it was 0.95 sure, the other nothing. */
class LabelCounts {
  n = 0;
  #silentUntil = Number.POSITIVE_INFINITY;
  #teller: string | undefined;

  oneTells(): void {
    this.#silentUntil = this.n;
  }

  readonly distort = (evidence: Evidence): Evidence => {
    this.#teller ??= evidence.epoch;
    const labels = { right: 0.3 * this.n, wrong: 0.7 * this.n, unknown: 0 };
    const told = evidence.epoch === this.#teller ? Math.max(0, this.n - this.#silentUntil) : 0;
    if (told === 0) return { ...evidence, labels };
    const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ n: 0, right: 0, confidence: 0 }));
    bins[CALIBRATION_BINS - 1] = { n: told, right: 0.3 * told, confidence: 0.95 * told };
    return { ...evidence, labels: { ...labels, calibration: { bins } } };
  };
}

test('a model that is too sure of itself is told by its labels, and pods that do not say how sure are told as such', async () => {
  await models.firstVersion('sure');
  const labels = new LabelCounts();
  pods.distort = labels.distort;
  await setDrift('sure', { window: '1h', calibration: { max: '5%' }, falseAlarms: { max: 1000, per: '1d' } });
  await untilDrift('sure', 'False', 'InsufficientData');
  const labelled = async (slots: number): Promise<void> => {
    for (let slot = 0; slot < slots; slot += 1) {
      labels.n += 100;
      await later(SLOT);
    }
  };
  await labelled(2);
  const saysNo =
    /^Fewer than 200 rows in the last 1h\. No labelled answer told a probability, so calibration is not judged/;
  const messageOf = ({ status }: InferenceService): string =>
    status?.conditions?.find(({ type }) => type === 'DriftDetected')?.message ?? '';
  await under.until(inferenceServices, 'sure', (infs) => expect(messageOf(infs)).toMatch(saysNo));

  labels.oneTells();
  await labelled(4);
  const drifted = await untilDrift('sure', 'True', 'DriftDetected');
  expect(drifted.status?.drift?.worst?.[0]).toMatchObject({ name: 'labels', measure: 'calibration', limit: '5%' });
  expect(messageOf(drifted)).toMatch(/^calibration error 65% \(.*\), limit 5%, [\d,]+ labels, overconfident by 65%/);
  expect(messageOf(drifted)).toContain('Some labelled answers told no probability, calibration rests on the others');
  expect((await metricLines('sure')).filter((line) => line.includes('measure="calibration"'))).toHaveLength(2);
  await models.remove('sure');
});

test('a limit for what the model does not have is said, not swallowed', async () => {
  await models.firstVersion('typo');
  await setDrift('typo', { window: '1h', features: { dist: { psi: '0.5' } } });
  const told = await untilDrift('typo', 'False', 'InsufficientData');
  expect(told.status?.conditions?.find(({ type }) => type === 'DriftDetected')?.message).toBe(
    'Fewer than 200 rows in the last 1h. The baseline has no dist: it has distance, hour, origin, late.',
  );
  await models.remove('typo');
});

test('another version is watched in a window of its own', async () => {
  const first = await models.firstVersion('next', { steps: [{ weight: 100 }], guards: [], bake: '0s' });
  await setDrift('next', { window: '1h', minSamples: 200 });
  await hours(5, long);
  await untilDrift('next', 'True', 'DriftDetected');

  await models.modelVersion('next', 1);
  pods.runs(1);
  await models.want('next', 1);
  const candidate = await models.deploymentOf('1.1.0', 2);
  const counted = await models.hand.serve(candidate, 2);
  counted.each = { ok: 50 };
  await models.hand.program('next', { [candidate.metadata.name]: 10_000 });
  await models.untilCondition('next', 'RolloutComplete', 'True', 'Complete');
  expect(first.deployment.metadata.name).not.toBe(candidate.metadata.name);
  now = new Date(now.getTime() + SLOT);
  const anew = await untilDrift('next', 'False', 'InsufficientData');
  expect(anew.status?.drift).toBeUndefined();
  await hours(3, asked);
  const calm = await untilDrift('next', 'False', 'NoDrift');
  expect(calm.status?.drift?.version).toBe('1.1.0');
  await models.remove('next');
});
