import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiDouble } from '../../test/apiDouble.ts';
import { hastyClock } from '../../test/clock.ts';
import { type ConfigMap, configMaps } from '../api/builtin.ts';
import type { Client } from './client.ts';
import { type Endpoint, endpointOf } from './config.ts';
import { createRestClient } from './restClient.ts';
import { createTransport, type Transport, type TransportOptions } from './transport.ts';

const key = { namespace: 'default', name: 'a' };
const configMap = (name: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name },
});

describe.each([{ http2: true }, { http2: false }])('with http2 $http2', ({ http2 }) => {
  let double: ApiDouble;
  let transport: Transport;
  let client: Client;
  const clock = hastyClock();

  const open = (options: Partial<TransportOptions> = {}): void => {
    transport = createTransport({ endpoint: double.front.endpoint, http2, clock, random: () => 1, ...options });
    client = createRestClient(transport);
  };
  beforeEach(async () => {
    double = await ApiDouble.open();
    double.put('a');
    clock.slept.length = 0;
    open();
  });
  afterEach(async () => {
    await transport.close();
    await double.close();
  });

  test('a call under way when the connection is closed, and each one after it, ends at once and for good', async () => {
    double.failNext('get', { hang: true });
    const underWay = client.get(configMaps, key).catch((error: unknown) => error);
    await vi.waitFor(() => expect(double.seen.length).toBe(1));
    await transport.close();
    const words = 'the connection to the API server was closed: this process is ending';
    expect(await underWay).toMatchObject({ reason: 'ConnectionClosed', message: words });
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ reason: 'ConnectionClosed', message: words });
    expect({ asked: double.seen.length, waits: clock.slept }).toEqual({ asked: 1, waits: [] });
  });

  test('429 is obeyed for the seconds it names, also by a create', async () => {
    double.failNext('create', { status: 429, reason: 'TooManyRequests', retryAfter: 7 });
    await client.create(configMaps, configMap('b'));
    expect(clock.slept).toEqual([7_000]);
  });

  test('429 for longer than a call may take is an error that says for how long', async () => {
    double.failNext('get', { status: 429, reason: 'TooManyRequests', retryAfter: 100 });
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ status: 429, retryAfterMs: 100_000 });
  });

  test('a 5xx is tried again with doubling waits, six times in all', async () => {
    double.failNext('get', { status: 503 }, 6);
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ status: 503 });
    expect(clock.slept).toEqual([100, 200, 400, 800, 1600]);
  });

  test('a reset is survived by a get, an apply and a delete', async () => {
    for (const verb of ['get', 'patch', 'delete'] as const) double.failNext(verb, { reset: true });
    await expect(client.get(configMaps, key)).resolves.toMatchObject({ metadata: { name: 'a' } });
    await client.apply(configMaps, configMap('b'), { fieldManager: 'slipway-test' });
    await client.delete(configMaps, key);
    expect(double.objects.map((o) => o.metadata.name)).toEqual(['b']);
  });

  test('a create that was reset is not sent twice: it may have happened', async () => {
    double.failNext('create', { reset: true });
    await expect(client.create(configMaps, configMap('b'))).rejects.toMatchObject({ status: 0, reason: 'Unreachable' });
    expect(double.seen.filter(({ verb }) => verb === 'create').length).toBe(1);
  });

  test('a create is sent again while the server refuses connections', async () => {
    await transport.close();
    const reopen = await double.front.relay.closePort();
    const waits: number[] = [];
    const sleep = (ms: number): Promise<void> => (waits.push(ms) === 1 ? Promise.resolve() : reopen());
    open({ clock: { ...clock, sleep } });
    const created = client.create(configMaps, configMap('b'));
    await expect(created).resolves.toMatchObject({ metadata: { name: 'b' } });
    expect(waits).toEqual([100, 200]);
  });

  test('a missing object is undefined, and deleting it is no error', async () => {
    expect(await client.get(configMaps, { ...key, name: 'none' })).toBeUndefined();
    await client.delete(configMaps, { ...key, name: 'none' });
  });

  test('an aborted call ends with the reason it was aborted for', async () => {
    double.failNext('get', { hang: true });
    const stop = new AbortController();
    const call = client.get(configMaps, key, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });

  test('a call that gets no answer ends at its deadline', async () => {
    await transport.close();
    open({ attemptMs: 60_000, callMs: 200 });
    double.failNext('get', { hang: true });
    await expect(client.get(configMaps, key)).rejects.toThrow('took longer than 200 ms');
  });

  test('a half-open connection is left for a new one', async () => {
    await transport.close();
    open({ attemptMs: 300 });
    await client.get(configMaps, key);
    double.front.relay.freezeAll();
    await expect(client.get(configMaps, key)).resolves.toMatchObject({ metadata: { name: 'a' } });
  });

  test('300 calls, one after the other, do not open a connection each', async () => {
    for (let i = 0; i < 300; i++) await client.get(configMaps, key);
    expect(double.front.relay.accepted()).toBeLessThanOrEqual(http2 ? 1 : 2);
  });

  test('GOAWAY in the middle of a burst loses no call and repeats no create', async () => {
    const burst = Array.from({ length: 200 }, async (_, i) => {
      if (i % 50 === 10) double.front.goAway();
      await client.get(configMaps, key);
      return client.create(configMaps, configMap(`burst-${i}`));
    });
    await Promise.all(burst);
    expect(double.objects.length).toBe(201);
    expect(double.history.length).toBe(201);
  });

  test('a rotated token is read again after one 401', async () => {
    let token = 'old';
    const credentials: Endpoint['credentials'] = async () => {
      const { tls } = await double.front.endpoint.credentials(false);
      return { headers: { authorization: `Bearer ${token}` }, tls };
    };
    await transport.close();
    open({ endpoint: { ...double.front.endpoint, credentials } });
    double.authorization = 'Bearer old';
    await client.get(configMaps, key);
    token = 'new';
    double.authorization = 'Bearer new';
    await Promise.all([client.get(configMaps, key), client.create(configMaps, configMap('b'))]);
    double.authorization = 'Bearer never';
    await expect(client.get(configMaps, key)).rejects.toMatchObject({ status: 401 });
  });
});

test('a token is read again after a minute, before the old one ends', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  let reads = 0;
  const double = await ApiDouble.open();
  const credentials: Endpoint['credentials'] = (rejected) => {
    reads += 1;
    return double.front.endpoint.credentials(rejected);
  };
  const clock = { ...hastyClock(), now: () => new Date(now) };
  const transport = createTransport({ endpoint: { ...double.front.endpoint, credentials }, clock });
  const client = createRestClient(transport);
  await client.get(configMaps, key);
  now += 59_000;
  await client.get(configMaps, key);
  expect(reads).toBe(1);
  now += 2_000;
  await client.get(configMaps, key);
  expect(reads).toBe(2);
  await transport.close();
  await double.close();
});

describe('a kubeconfig', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const kubeconfig = (user: object, cluster: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/prefix', ...cluster } }],
    users: [{ name: 'c', user }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
  });
  const write = async (config: object): Promise<string> => {
    const path = join(directory, 'config');
    await writeFile(path, JSON.stringify(config));
    return path;
  };

  test('with a token file is read anew each time, without the line end', async () => {
    await writeFile(join(directory, 'token'), 'first\n');
    const authProvider = { name: 'tokenFile', config: { tokenFile: join(directory, 'token') } };
    const endpoint = endpointOf(await write(kubeconfig({ 'auth-provider': authProvider })));
    expect((await endpoint.credentials(false)).headers).toEqual({ authorization: 'Bearer first' });
    await writeFile(join(directory, 'token'), 'second\n');
    expect((await endpoint.credentials(false)).headers).toEqual({ authorization: 'Bearer second' });
  });

  test('with certificates gives them as PEM, and keeps the path of the server', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const user = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
    const endpoint = endpointOf(await write(kubeconfig(user, { 'certificate-authority-data': base64('CA') })));
    expect(endpoint.server.pathname).toBe('/prefix');
    expect((await endpoint.credentials(false)).tls).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY' });
  });

  test('with an exec plugin runs it once, and again after a refusal', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 't' },
    };
    const script = `echo run >> ${join(directory, 'runs')}; echo '${JSON.stringify(credential)}'`;
    const exec = { apiVersion: credential.apiVersion, command: 'sh', args: ['-c', script] };
    const endpoint = endpointOf(await write(kubeconfig({ exec })));
    for (const rejected of [false, false, true])
      expect((await endpoint.credentials(rejected)).headers).toEqual({ authorization: 'Bearer t' });
    expect((await readFile(join(directory, 'runs'), 'utf8')).split('\n').length - 1).toBe(2);
  });

  test('without a current context, or behind a proxy, is refused with what to write', async () => {
    const none = await write({ ...kubeconfig({}), 'current-context': '' });
    expect(() => endpointOf(none)).toThrow('set current-context');
    const proxied = await write(kubeconfig({}, { 'proxy-url': 'http://127.0.0.1:3128' }));
    expect(() => endpointOf(proxied)).toThrow('proxy-url');
  });
});
