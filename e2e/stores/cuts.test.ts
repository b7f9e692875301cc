import { readdir } from 'node:fs/promises';
import { fetchArtifact } from '@slipway/runtime/artifact/stores/openArtifact.ts';
import { withStore } from '@slipway/runtime/artifact/stores/openStore.ts';
import {
  type contextIn,
  failureOf,
  type Ground,
  localFiles,
  placeAt,
  writeSecret,
} from '@slipway/runtime/artifact/stores/testing/ground.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type FaultyLine, faultyLine } from './faultyLine.ts';
import { ociGround, SECRET, s3Entries, s3Ground } from './grounds.ts';
import { LOGIN } from './servers.ts';

const MIB = 1024 * 1024;
const SIZE = 24 * MIB;

interface Case {
  readonly kind: string;
  readonly address: () => URL;
  readonly ground: (port: number) => Promise<Ground>;
}

const CASES: readonly Case[] = [
  { kind: 's3', address: () => new URL(inject('s3').url), ground: (port) => s3Ground(`http://127.0.0.1:${port}`) },
  {
    kind: 'oci',
    address: () => new URL(`http://${inject('oci').host}`),
    ground: (port) => ociGround(`127.0.0.1:${port}`),
  },
];

describe.each(CASES)('a line to $kind that is cut', ({ address, ground: open }) => {
  let line: FaultyLine;
  let ground: Ground;
  let shipped: Awaited<ReturnType<typeof localFiles>>;
  let into: string;
  const put = () =>
    withStore(placeAt(ground, ground.root), ground.context, (store) =>
      store.put(ground.root, { model: 'flights', files: shipped.files }),
    );
  const fetched = (uri: string) => fetchArtifact(placeAt(ground, uri), shipped.digest, into, ground.context);

  beforeEach(async () => {
    line = await faultyLine(address().hostname, Number(address().port));
    [ground, shipped, into] = await Promise.all([
      open(line.port),
      localFiles({ 'model.onnx': SIZE }),
      temporaryFolder('into'),
    ]);
  });
  afterEach(() => line.close());

  it('is gone on with where it was cut', async () => {
    const { uri } = await put();
    const before = line.down();
    line.cutDown(5 * MIB, 3);
    expect((await fetched(uri)).digest).toBe(shipped.digest);
    expect((ground.context as ReturnType<typeof contextIn>).lines.join('\n')).toContain('cut off at byte');
    // What was sent and got lost in the cut comes twice; a fetch from the beginning would cost three times the size.
    expect(line.down() - before).toBeLessThan(SIZE + 12 * MIB);
  });

  it('and stays away is a store that is not available, and what came is kept for the next try', async () => {
    const { uri } = await put();
    line.cutDown(8 * MIB, 1);
    const context = {
      ...ground.context,
      sleep: async () => line.fail(),
    };
    const failure = await failureOf(fetchArtifact(placeAt(ground, uri), shipped.digest, into, context));
    expect(failure).toMatchObject({
      reason: 'StoreUnavailable',
      message: expect.stringContaining('stopped coming at byte'),
    });
    expect((await readdir(into)).filter((name) => !name.startsWith('.'))).toEqual([]);
    line.heal();
    const before = line.down();
    expect((await fetched(uri)).digest).toBe(shipped.digest);
    expect(line.down() - before).toBeLessThan(SIZE - 4 * MIB);
  });

  it('in the middle of a put leaves nothing visible, and the next put is whole', async () => {
    const timer = setInterval(() => {
      if (line.up() > 6 * MIB) line.fail();
    }, 1);
    expect((await failureOf(put())).reason).toBe('StoreUnavailable');
    clearInterval(timer);
    line.heal();
    const whole = () =>
      withStore(placeAt(ground, ground.root), ground.context, (store) => store.artifacts(ground.root, 'flights'));
    expect(await whole()).toEqual([]);
    const { uri } = await put();
    expect(await whole()).toEqual([uri]);
    expect((await fetched(uri)).digest).toBe(shipped.digest);
  });
});

describe('credentials that are refused', () => {
  const put = async (place: { uri: string; secret?: string }, context: Ground['context']) => {
    const { files } = await localFiles({ 'model.onnx': 1000 });
    return failureOf(withStore(place, context, (store) => store.put(place.uri, { model: 'flights', files })));
  };

  it('by S3 are named as such', async () => {
    const ground = await s3Ground();
    await writeSecret(ground.folder, 'wrong', s3Entries(undefined, 'wrongwrong'));
    const failure = await put({ uri: ground.root, secret: 'wrong' }, ground.context);
    expect(failure.reason).toBe('CredentialsRefused');
    expect(failure.message).toContain('refuses the credentials of its Secret: SignatureDoesNotMatch');
    await writeSecret(ground.folder, 'half', { AWS_ACCESS_KEY_ID: 'a', AWS_ENDPOINT_URL: inject('s3').url });
    expect(await put({ uri: ground.root, secret: 'half' }, ground.context)).toEqual({
      reason: 'CredentialsRefused',
      message: 'The Secret has AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY: set both.',
    });
  });

  it('in a Secret that is not mounted are named with it', async () => {
    const ground = await s3Ground();
    expect(await put({ uri: ground.root, secret: 'absent' }, ground.context)).toMatchObject({
      reason: 'CredentialsRefused',
      message: expect.stringContaining('Secret absent of s3://'),
    });
    await writeSecret(ground.folder, 'empty', {});
    expect((await put({ uri: ground.root, secret: 'empty' }, ground.context)).message).toContain(
      'cannot be read: it is not in the namespace of this pod, or is empty.',
    );
  });

  const dockerConfig = (host: string, password: string) => ({
    '.dockerconfigjson': JSON.stringify({
      auths: { [`https://${host}/v1/`]: { auth: Buffer.from(`${LOGIN.username}:${password}`).toString('base64') } },
    }),
  });
  it.each<[string, (host: string) => Record<string, string>, string]>([
    ['none of use', () => ({ other: '' }), 'CredentialsRefused'],
    ['a wrong password', () => ({ username: LOGIN.username, password: 'wrong' }), 'CredentialsRefused'],
    ['the configuration of another registry', () => dockerConfig('ghcr.io', LOGIN.password), 'CredentialsRefused'],
    ['name and password', () => ({ ...LOGIN }), 'none'],
    ['a Docker configuration', (host) => dockerConfig(host, LOGIN.password), 'none'],
  ])('or taken by a registry: %s', async (_what, entries, reason) => {
    const { host } = inject('closedOci');
    const ground = await ociGround(host);
    await writeSecret(ground.folder, SECRET, entries(host));
    expect((await put({ uri: ground.root, secret: SECRET }, ground.context)).reason).toBe(reason);
  });
});
