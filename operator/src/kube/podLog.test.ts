import { expect, test } from 'vitest';
import { ApiError } from './errors.ts';
import { scoped } from './grants.ts';
import { createRestClient } from './restClient.ts';
import type { ApiRequest, Transport } from './transport.ts';

const KEY = { namespace: 'ml', name: 'flights-test-0' };
const OPTIONS = { container: 'test', tailLines: 5, limitBytes: 10 };

/** A server whose kubelet sends these chunks, and what it was asked. */
function serverOf(...chunks: readonly (string | Error)[]) {
  const asked: ApiRequest[] = [];
  let sent = 0;
  async function* log() {
    for (const chunk of chunks) {
      if (chunk instanceof Error) throw chunk;
      sent += 1;
      yield Buffer.from(chunk);
    }
  }
  const transport: Transport = {
    call: async () => undefined,
    stream: async (request) => {
      asked.push(request);
      return log();
    },
    close: async () => undefined,
  };
  return { client: createRestClient(transport), asked, sent: () => sent };
}

test('the log of a container is asked for by its last lines', async () => {
  const { client, asked } = serverOf('a\nb', '\n');
  expect(await client.podLog(KEY, OPTIONS)).toBe('a\nb\n');
  expect(asked).toMatchObject([
    {
      method: 'GET',
      path: '/api/v1/namespaces/ml/pods/flights-test-0/log',
      query: { container: 'test', tailLines: '5', limitBytes: '10' },
    },
  ]);
});

test('no more is read than asked for, whatever the server sends', async () => {
  const { client, sent } = serverOf('12345678', '9abc', 'never read');
  expect(await client.podLog(KEY, OPTIONS)).toBe('123456789a');
  expect(sent()).toBe(2);
});

test('a pod that is gone has no log', async () => {
  const { client } = serverOf(new ApiError(404, 'NotFound', 'pods "flights-test-0" not found'));
  expect(await client.podLog(KEY, OPTIONS)).toBeUndefined();
});

test('reading logs needs a grant of its own', async () => {
  const { client } = serverOf('a');
  const pods = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
  const without = scoped(client, [{ resource: pods, verbs: ['get'] }], 'test');
  await expect(without.podLog(KEY, OPTIONS)).rejects.toThrow('no grant to get pods/log');
  const granted = scoped(client, [{ resource: pods, verbs: ['get'], subresource: 'log' }], 'test');
  expect(await granted.podLog(KEY, OPTIONS)).toBe('a');
});
