import { ANNOTATIONS } from '@slipway/crds/contract';
import { inferenceServices } from '../api/kinds.ts';
import { askedBy, type SentEvent } from '../domain/retrain/event.ts';
import type { Client } from '../kube/client.ts';
import type { Grant } from '../kube/contracts.ts';
import { isConflict } from '../kube/errors.ts';
import type { Key } from '../kube/resource.ts';
import { Refusal } from './refusal.ts';

export const askGrants: readonly Grant[] = [{ resource: inferenceServices, verbs: ['get', 'patch'] }];

/**
 * Writes down that an event asks for a retraining, as a person does by annotation: the brakes are those of the retraining,
 * and whichever replica leads finds it. Says whether the event is new. Throws Refusal where the service can't be retrained.
 * Until `signal` aborts it tries again where others write: each conflict is a write of somebody, so all get their turn.
 */
export async function ask(client: Client, key: Key, event: SentEvent, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const infs = await client.get(inferenceServices, key, { signal });
    if (infs === undefined) {
      throw new Refusal(404, `There is no InferenceService ${key.name} in namespace ${key.namespace}.`);
    }
    if (infs.spec.retrain === undefined) {
      throw new Refusal(422, `InferenceService ${key.name} has no spec.retrain: write what retrains it first.`);
    }
    const asked = askedBy(event, infs.metadata.annotations?.[ANNOTATIONS.retrainEvent]);
    if (asked === undefined) return false;
    // With the version that was read: two events at the same time must both be remembered.
    const { resourceVersion } = infs.metadata;
    const change = { metadata: { resourceVersion, annotations: { [ANNOTATIONS.retrainEvent]: asked } } };
    try {
      await client.merge(inferenceServices, key, change, { signal });
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}
