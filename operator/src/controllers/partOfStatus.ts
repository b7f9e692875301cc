import { type InferenceService, inferenceServices } from '../api/kinds.ts';
import type { Client } from '../kube/client.ts';
import { keyOf } from '../kube/resource.ts';
import type { Stored } from '../kube/wire.ts';

export interface Writing {
  readonly client: Client;
  readonly fieldManager: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * Server-side apply of what one field manager alone owns of a service's status: its condition and its field. What it no
 * longer says, the server removes.
 */
export function applyPart(
  infs: Stored<InferenceService>,
  status: object,
  { client, fieldManager, signal }: Writing,
): Promise<Stored<InferenceService>> {
  const { apiVersion, kind } = infs;
  const patch = { apiVersion, kind, metadata: keyOf(infs), status } as unknown as InferenceService;
  return client.applyStatus(inferenceServices, patch, { fieldManager, signal });
}
