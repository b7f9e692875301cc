import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { manifestText } from '../manifest.ts';
import { modelConfig, modelManifest } from './oci/modelManifest.ts';
import { withStore } from './openStore.ts';
import { contextIn, failureOf, localFiles, writeSecret } from './testing/ground.ts';

/** One server that answers like a web server, like S3 and like a registry, over TLS that nobody trusts by itself. */
let server: Server;
let plain: Server;
let certificate: string;
let shipped: Awaited<ReturnType<typeof localFiles>>;
let folder: string;
let asked: string[];
/** How the registry wants to be asked. */
let challenge: string | undefined;
let refreshed: string | undefined;

const manifest = () => ({ digest: shipped.digest, files: shipped.entries });
const document = () => modelManifest(modelConfig('flights', manifest()), manifest());
const documentDigest = () => `sha256:${createHash('sha256').update(document()).digest('hex')}`;

const listener: RequestListener = async (request, response) => {
  const { url = '', method, headers } = request;
  asked.push(`${method} ${url.replace(/\?.*/, '')} ${(headers.authorization ?? 'nobody').split(' ')[0]}`);
  if (url.startsWith('/token')) {
    refreshed = method === 'POST' ? await text(request) : url;
    const knows = method === 'POST' || headers.authorization === `Basic ${Buffer.from('ada:l').toString('base64')}`;
    return void response.writeHead(knows ? 200 : 401).end('{"token":"granted"}');
  }
  if (!url.startsWith('/v2/')) return void response.end(manifestText(manifest()));
  if (challenge !== undefined && headers.authorization !== 'Bearer granted') {
    return void response.writeHead(401, { 'www-authenticate': challenge }).end();
  }
  response.end(document());
};

const hostOf = (at: Server) => `127.0.0.1:${(at.address() as AddressInfo).port}`;

beforeAll(async () => {
  [shipped, folder] = await Promise.all([localFiles({ 'model.onnx': 10 }), temporaryFolder('secured')]);
  const [keyFile, certFile] = [join(folder, 'key'), join(folder, 'cert')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const subject = ['-subj', '/CN=store', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '30'];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    '-nodes',
    ...curve,
    '-keyout',
    keyFile,
    '-out',
    certFile,
    ...subject,
  ]);
  certificate = await readFile(certFile, 'utf8');
  server = createServer({ key: await readFile(keyFile), cert: certificate }, listener);
  plain = createPlainServer(listener);
  for (const each of [server, plain]) await once(each.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  for (const each of [server, plain]) each.close().closeAllConnections();
});
beforeEach(() => {
  [asked, challenge, refreshed] = [[], undefined, undefined];
});

let secrets = 0;

async function manifestOf(uri: string, entries?: Readonly<Record<string, string>>) {
  const secret = `store-${secrets++}`;
  if (entries !== undefined) await writeSecret(folder, secret, entries);
  const place = entries === undefined ? { uri } : { uri, secret };
  return withStore(place, contextIn(folder), (store) => store.manifest(uri));
}

describe('a certificate authority of its own, in the Secret', () => {
  const cases = (): readonly (readonly [string, string, Record<string, string>, string])[] => [
    ['a web server', `https://${hostOf(server)}/flights`, {}, 'ca.crt'],
    ['S3', 's3://models/flights', { AWS_ENDPOINT_URL: `https://${hostOf(server)}` }, 'AWS_CA_BUNDLE'],
    // 127.1 is the same machine under a name that is not taken for loopback, which would need no TLS.
    ['a registry', `oci://${hostOf(server).replace('127.0.0.1', '127.1')}/flights@${documentDigest()}`, {}, 'ca.crt'],
  ];

  test.each([0, 1, 2])('is trusted, and without it nobody is (case %i)', async (index) => {
    const [, uri, entries, name] = cases()[index] as readonly [string, string, Record<string, string>, string];
    expect((await manifestOf(uri, { ...entries, [name]: certificate })).digest).toBe(shipped.digest);
    const other = await temporaryFolder('untrusting');
    await writeSecret(other, 'store', { ...entries, other: '' });
    const refused = withStore({ uri, secret: 'store' }, contextIn(other), (store) => store.manifest(uri));
    expect(await failureOf(refused)).toMatchObject({
      reason: 'StoreUnavailable',
      message: expect.stringContaining('self-signed certificate'),
    });
  });
});

test('a bucket that anybody may read is asked without a signature', async () => {
  await manifestOf('s3://models/flights', { AWS_ENDPOINT_URL: `http://${hostOf(plain)}` });
  expect(asked).toEqual(['GET /models/flights/manifest.json nobody']);
});

describe('a registry', () => {
  const uri = () => `oci://${hostOf(plain)}/flights@${documentDigest()}`;
  const bearer = () => `Bearer realm="http://${hostOf(plain)}/token",service="registry.example.com",scope="x"`;

  test('without TLS is spoken to only where its Secret says so', async () => {
    const elsewhere = uri().replace('127.0.0.1', '127.1');
    expect((await manifestOf(elsewhere, { plainHTTP: 'true' })).digest).toBe(shipped.digest);
    expect((await failureOf(manifestOf(elsewhere))).reason).toBe('StoreUnavailable');
  });

  test('that sends for a token gets one with the login of the Secret', async () => {
    challenge = bearer();
    await manifestOf(uri(), { username: 'ada', password: 'l' });
    expect(asked.map((line) => line.replace(/sha256:.*? /, '… '))).toEqual([
      'GET /v2/flights/manifests/… nobody',
      'GET /token Basic',
      'GET /v2/flights/manifests/… Bearer',
    ]);
    expect(decodeURIComponent(refreshed ?? '')).toContain('scope=repository:flights:pull');
    expect(refreshed).toContain('service=registry.example.com');
  });

  test('takes an identity token for the password', async () => {
    challenge = bearer();
    const auths = {
      [hostOf(plain)]: { auth: Buffer.from('00000000:').toString('base64'), identitytoken: 'refresh me' },
    };
    await manifestOf(uri(), { '.dockerconfigjson': JSON.stringify({ auths }) });
    expect(new URLSearchParams(refreshed).get('refresh_token')).toBe('refresh me');
  });

  test('that refuses the login is told apart from one that is gone', async () => {
    challenge = bearer();
    expect((await failureOf(manifestOf(uri(), { username: 'ada', password: 'wrong' }))).reason).toBe(
      'CredentialsRefused',
    );
    challenge = 'Digest realm="x"';
    expect((await failureOf(manifestOf(uri(), { username: 'ada', password: 'l' }))).reason).toBe('CredentialsRefused');
  });
});
