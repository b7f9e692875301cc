import { createHash } from 'node:crypto';
import type { NotificationType, VersionNotification } from '@slipway/crds';
import { API_VERSION } from '@slipway/crds/contract';
import { type InferenceService, inferenceServices } from '../api/kinds.ts';
import type { HistoryEntry } from '../domain/rollout/world.ts';
import { keyOf, type Resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';
import { notificationOf, rolloutIdOf, versionOf } from './told.ts';

/** What happened, as far as it is known: to a service, or to a version. */
export interface Told {
  readonly service?: string;
  readonly modelVersion?: string;
  readonly model?: string;
  readonly namespace: string;
  readonly version?: string;
  readonly digest?: string;
  readonly from?: string;
  readonly to?: string;
  readonly reason: string;
  readonly message: string;
  readonly rolloutID?: string;
  readonly by?: string;
}

/** CloudEvents 1.0, JSON format (github.com/cloudevents/spec, v1.0.2). `source` and `id` together name one event for ever. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: `dev.slipway.${NotificationType | VersionNotification}`;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Told;
}

/** Of structured mode: the whole event is the body. */
export const CLOUD_EVENT = 'application/cloudevents+json; charset=utf-8';

interface Occurrence {
  readonly type: NotificationType | VersionNotification;
  readonly id: string;
  readonly time: string;
  readonly told: Omit<Told, 'namespace'>;
}

export function cloudEvent(resource: Resource, about: KubeObject, { type, id, time, told }: Occurrence): CloudEvent {
  const { namespace, name } = keyOf(about);
  return {
    specversion: '1.0',
    id,
    source: `/apis/${API_VERSION}/namespaces/${namespace}/${resource.plural}/${name}`,
    type: `dev.slipway.${type}`,
    subject: name,
    time,
    datacontenttype: 'application/json',
    data: { namespace, ...told },
  };
}

/** A decision, named by the hash of its entry: told twice it is still one. undefined: not of a kind that is told. */
export function decisionEvent(about: InferenceService, entry: HistoryEntry): CloudEvent | undefined {
  const type = notificationOf(entry);
  if (type === undefined || about.status === undefined) return undefined;
  const { hash: id, at: time, from, to, reason, message, by, digest } = entry;
  const version = versionOf(entry, about.status);
  const rolloutID = rolloutIdOf(entry, about.status);
  const told = {
    service: about.metadata.name,
    ...(version === undefined ? {} : { version }),
    ...(digest === undefined ? {} : { digest }),
    from,
    to,
    reason,
    message,
    ...(rolloutID === undefined ? {} : { rolloutID }),
    ...(by === undefined ? {} : { by }),
  };
  return cloudEvent(inferenceServices, about, { type, id, time, told });
}

/** The drift that the service suffers, if it does: one event from when it begins to when it ends. */
export function driftEvent(about: InferenceService): CloudEvent | undefined {
  const { conditions = [], drift } = about.status ?? {};
  const condition = conditions.find(({ type, status }) => type === 'DriftDetected' && status === 'True');
  if (condition === undefined) return undefined;
  const { lastTransitionTime: time, reason, message } = condition;
  const id = createHash('sha256').update(`${about.metadata.uid} DriftDetected ${time}`).digest('hex');
  const version = drift === undefined ? {} : { version: drift.version };
  const told = { service: about.metadata.name, ...version, reason, message };
  return cloudEvent(inferenceServices, about, { type: 'drift', id, time, told });
}
