import { type BatchingSettings, modelSettingsSchema } from '@slipway/crds/serving';
import type { SchedulerOptions } from '../server/batching/openScheduler.ts';

type Batching = Partial<BatchingSettings> & { readonly instances?: number; readonly inline?: 'Auto' | 'Never' };

/** The default settings but for these. */
export function testSettings({
  instances = 1,
  inline = 'Auto',
  ...batching
}: Batching = {}): SchedulerOptions['settings'] {
  return modelSettingsSchema.parse({ engine: { instances, inline }, batching });
}
