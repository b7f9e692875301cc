import { inferenceServices } from '@slipway/operator/api/kinds.ts';
import { approvalRequest } from '@slipway/operator/cli/requests.ts';
import { awaitObject } from '../ground/await.ts';
import { keyIn, type Stage } from './stage.ts';

/** The user of the local cluster's kubeconfig: the admission policy lets nobody approve in another name. */
export const APPROVER = 'slipway-admin';

const WAIT_MS = 120_000;

/** Waits until the rollout awaits a person, and lets its step pass as `kubectl slipway approve` does. */
export async function approve(stage: Stage, name: string): Promise<void> {
  const { client } = stage.ground;
  const waits = await awaitObject(
    client,
    inferenceServices,
    keyIn(stage, name),
    ({ status }) => status?.candidate?.awaitingApproval === true,
    { what: `InferenceService ${name} to await approval`, timeoutMs: WAIT_MS },
  );
  const request = approvalRequest(waits, { by: APPROVER, at: new Date() });
  if (request.kind === 'refused') throw new Error(request.why);
  await client.merge(inferenceServices, keyIn(stage, name), request.patch);
}
