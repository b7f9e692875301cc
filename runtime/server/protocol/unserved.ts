import { badRequest } from '../requestError.ts';
import type { Parameters } from './order.ts';

/** What Triton serves and this server does not: ignored, it would make an answer wrong without a word. */

/** A state kept from request to request. 0 and "" mean none, as clients send them. Throws RequestError 400. */
export function refuseSequence(parameters: Parameters | undefined): void {
  const sequence = parameters?.['sequence_id'];
  if (sequence === undefined || sequence === 0 || sequence === 0n || sequence === '') return;
  throw badRequest('Sequences are not kept here; send each request with all it needs, and without "sequence_id".');
}

/** Tensors that lie where only processes of one machine can see them. Throws RequestError 400. */
export function refuseSharedMemory(parameters: Parameters | undefined, whose: string): void {
  if (parameters?.['shared_memory_region'] === undefined) return;
  throw badRequest(`Shared memory is not served; send and take the elements of ${whose} with the message.`);
}
