import { DIRECTORIES, ENV, FILES } from '@slipway/crds/contract';
import type { ServingSettings } from '@slipway/crds/serving';
import type { RevisionSpec } from '../domain/revision.ts';
import type { Container, Volume, VolumeMount } from './pod.ts';

type Predictor = RevisionSpec['predictor'];

/** A part of the settings document: what is left out keeps the server's default. */
interface WrittenSettings {
  readonly batching?: Partial<ServingSettings['batching']>;
  readonly limits?: Partial<ServingSettings['limits']>;
  readonly auth?: ServingSettings['auth'];
}

/** Milliseconds of a field that the API holds to whole milliseconds or seconds: 5ms, 30s. */
function milliseconds(text: string): number {
  const [, count, unit] = /^([0-9]+)(ms|s)$/.exec(text) ?? [];
  if (count === undefined)
    throw new Error(`"${text}" is no time: write milliseconds or seconds, such as 500ms or 30s.`);
  return Number(count) * (unit === 's' ? 1000 : 1);
}

const written = <T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

/** What a predictor says of its server's conduct, in the server's own words. */
export function servingSettings({ batching, limits, auth }: Predictor): WrittenSettings {
  const batchingSettings = written({
    maxSize: batching?.maxSize,
    maxDelayMs: batching?.maxDelay === undefined ? undefined : milliseconds(batching.maxDelay),
    maxQueue: limits?.maxQueue,
  });
  const limitSettings = written({
    maxBodyBytes: limits?.maxBodyBytes,
    requestTimeoutMs: limits?.timeout === undefined ? undefined : milliseconds(limits.timeout),
  });
  return {
    ...(Object.keys(batchingSettings).length > 0 && { batching: batchingSettings }),
    ...(Object.keys(limitSettings).length > 0 && { limits: limitSettings }),
    ...(auth && { auth: { keysFile: `${DIRECTORIES.auth}/${FILES.keys}` } }),
  };
}

/** Nothing where nothing is set: the pods of most services then look as they did before there were settings. */
export function settingsEnv(predictor: Predictor): NonNullable<Container['env']> {
  const settings = servingSettings(predictor);
  return Object.keys(settings).length === 0 ? [] : [{ name: ENV.settings, value: JSON.stringify(settings) }];
}

/** The Secret of API keys, mounted whole and not by subPath: a file mounted by subPath never changes. */
export const keysVolume = ({ auth }: Predictor): Volume[] =>
  auth
    ? [{ name: 'auth', secret: { secretName: auth.secretRef.name, items: [{ key: FILES.keys, path: FILES.keys }] } }]
    : [];

export const keysMount = ({ auth }: Predictor): VolumeMount[] =>
  auth ? [{ name: 'auth', mountPath: DIRECTORIES.auth, readOnly: true }] : [];
