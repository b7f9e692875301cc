import { expect, test } from 'vitest';
import type { InferenceService } from '../../api/kinds.ts';
import type { Client } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import type { Stored } from '../../kube/wire.ts';
import { AdminTokens } from './adminTokens.ts';

const infs = { metadata: { name: 'flights', namespace: 'ml', uid: 'u' } } as Stored<InferenceService>;
const secret = { data: { token: Buffer.from('secret').toString('base64') } };

/** The token of the service a minute after another, of a client that answers so. */
async function tokens(...answers: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
  let asked = 0;
  const client = { get: () => (answers[asked++] ?? Promise.reject)() } as unknown as Client;
  const found = new AdminTokens(client, () => new Date(asked * 61_000));
  const all: unknown[] = [];
  for (const _ of answers) all.push(await found.of(infs, new AbortController().signal));
  return all;
}
const fails = (status: number, reason: string) => async () => {
  throw new ApiError(status, reason, `secrets "flights-admin" is ${reason}`);
};

test('a Secret that may not be read leaves pods unasked, and no pass fails for it', async () => {
  const answers = [async () => secret, fails(403, 'Forbidden'), async () => secret];
  expect(await tokens(...answers)).toEqual(['secret', undefined, 'secret']);
});

test('an API server that is away fails the pass, which comes again', async () => {
  await expect(tokens(fails(503, 'ServiceUnavailable'))).rejects.toThrow('ServiceUnavailable');
});
