import { type BatchingSettings, type ModelSettings, modelSettingsSchema } from '@slipway/crds/serving';
import type { SchedulerOptions } from '../server/batching/openScheduler.ts';

type Batching = Partial<BatchingSettings> &
  Partial<Pick<ModelSettings, 'cache' | 'singleFlight'>> & {
    readonly instances?: number;
    readonly inline?: 'Auto' | 'Never';
  };

/** The default settings but for these. */
export function testSettings(settings: Batching = {}): SchedulerOptions['settings'] {
  const { instances = 1, inline = 'Auto', cache, singleFlight, ...batching } = settings;
  return modelSettingsSchema.parse({ engine: { instances, inline }, batching, cache, singleFlight });
}
