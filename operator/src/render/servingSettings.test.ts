import type { InferenceServiceSpec } from '@slipway/crds';
import { servingSettingsSchema } from '@slipway/crds/serving';
import { KINDS } from '@slipway/crds/v1alpha1/kinds.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { servingSettings, settingsEnv } from './servingSettings.ts';

test('a predictor without settings adds nothing to its pods', () => {
  expect(settingsEnv({})).toEqual([]);
  expect(settingsEnv({ batching: {}, limits: {} })).toEqual([]);
});

test('settings of a predictor reach the server in its own words', () => {
  const predictor = {
    batching: { maxSize: 64, maxDelay: '5ms' },
    limits: { maxBodyBytes: 1024, maxQueue: 0, timeout: '30s' },
  };
  const value =
    '{"batching":{"maxSize":64,"maxDelayMs":5,"maxQueue":0},"limits":{"maxBodyBytes":1024,"requestTimeoutMs":30000}}';
  expect(settingsEnv(predictor)).toEqual([{ name: 'SLIPWAY_SETTINGS', value }]);
});

const API = KINDS.find(({ kind }) => kind === 'InferenceService')?.spec as (typeof KINDS)[number]['spec'];

test('the server takes whatever the API takes', () => {
  const whole = (min: number, max: number) => fc.integer({ min, max });
  const time = (maxMs: number, maxSeconds: number, min: number) =>
    fc.oneof(
      whole(min, maxMs).map((n) => `${n}ms`),
      whole(min, maxSeconds).map((n) => `${n}s`),
    );
  const batching = fc.record({ maxSize: whole(1, 4096), maxDelay: time(9999, 9, 0) }, { requiredKeys: [] });
  const limits = fc.record(
    { maxBodyBytes: whole(1, 4 * 1024 ** 3), maxQueue: whole(0, 1_000_000), timeout: time(999_999, 999, 1) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(batching, limits, (some, others) => {
      const model = { name: 'flights', version: '1.4.0' };
      const { predictor } = API.parse({ model, predictor: { batching: some, limits: others } }) as InferenceServiceSpec;
      const settings = servingSettings(predictor);
      expect(servingSettingsSchema.parse(settings)).toMatchObject(settings);
    }),
  );
});
