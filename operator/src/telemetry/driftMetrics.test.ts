import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { type DriftMeter, type DriftNumber, driftMeter, MOST_FEATURES } from './driftMetrics.ts';

let registry: Registry;
let meter: DriftMeter;
beforeEach(() => {
  registry = new Registry();
  meter = driftMeter(registry);
});

const lines = async (): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const psi = (feature: string, value = 0.1): DriftNumber => ({ feature, measure: 'psi', value, limit: 0.2 });

test('argo-rollouts#2087: each number comes with the limit it is held against', async () => {
  meter.looked('shop', 'flights', true, [psi('distance', 0.41)]);
  expect(await lines()).toEqual([
    'slipway_drift_effect{namespace="shop",service="flights",feature="distance",measure="psi"} 0.41',
    'slipway_drift_limit{namespace="shop",service="flights",feature="distance",measure="psi"} 0.2',
    'slipway_drift_detected{namespace="shop",service="flights"} 1',
  ]);
});

test('argo-rollouts PR#3929: a model of a thousand features, another worst each hour, has a bounded number of series', async () => {
  for (let hour = 0; hour < 20; hour += 1) {
    const names = Array.from({ length: 1000 }, (_, i) => `feature-${(i + hour * 50) % 1000}`);
    meter.looked(
      'shop',
      'wide',
      false,
      names.flatMap((name) => [psi(name), { ...psi(name), measure: 'missing' }]),
    );
    expect(await lines()).toHaveLength(MOST_FEATURES * 2 * 2 + 1);
  }
  expect((await lines())[0]).toContain('feature="feature-950"');
});

test('of a feature and a prediction of one name the worse has the series', async () => {
  meter.looked('shop', 'flights', false, [psi('delay', 0.15), psi('delay', 0.02)]);
  expect((await lines())[0]).toMatch(/feature="delay",measure="psi"} 0\.15$/);
  expect(await lines()).toHaveLength(3);
});

test('what can not be judged any more has no number, and is still told to be undetected', async () => {
  meter.looked('shop', 'flights', false, [psi('distance')]);
  meter.looked('shop', 'flights', false, []);
  expect(await lines()).toEqual(['slipway_drift_detected{namespace="shop",service="flights"} 0']);
});

test('a service that goes takes its series with it and leaves those of others', async () => {
  meter.looked('shop', 'flights', true, [psi('distance')]);
  meter.looked('shop', 'hotels', false, [psi('stars')]);
  meter.gone('shop', 'flights');
  expect((await lines()).filter((line) => line.includes('flights'))).toEqual([]);
  expect(await lines()).toHaveLength(3);
  meter.gone('shop', 'never-watched');
});
