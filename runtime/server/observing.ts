import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ServingSettings } from '@slipway/crds/serving';
import { RUNTIME_VERSION } from './config.ts';
import type { Log } from './log.ts';
import type { ObservedModel } from './models/openModel.ts';
import type { ModelIdentity } from './models/servedModel.ts';
import { type ModelObservation, Observatory } from './observe/observatory.ts';

/** The watchers of the process, and those of each model version by its identity. */
export interface Observing {
  readonly observe: (model: ObservedModel) => ModelObservation;
  readonly of: (identity: ModelIdentity) => ModelObservation | undefined;
  readonly observatory: Observatory;
}

/** Throws Failure ConfigurationInvalid: settings that can't take effect. */
export function startObserving(settings: ServingSettings, threadEntry: URL, log: Log): Observing {
  const observatory = new Observatory(settings, {
    log,
    now: () => performance.now(),
    random: Math.random,
    randomBytes,
    version: RUNTIME_VERSION,
    resource: { 'host.name': hostname(), 'process.pid': String(process.pid) },
    threadEntry,
  });
  const watchers = new WeakMap<ModelIdentity, ModelObservation>();
  return {
    observatory,
    observe: ({ baseline, ...model }) => {
      const observation = observatory.observe({ ...model, features: baseline?.features ?? [] });
      watchers.set(model.identity, observation);
      return observation;
    },
    of: (identity) => watchers.get(identity),
  };
}
