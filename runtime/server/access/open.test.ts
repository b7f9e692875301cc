import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { KeyRing, parseKeys } from './apiKeys.ts';
import { openAccess } from './open.ts';
import { Certificate, secureOptions } from './tls.ts';
import { WatchedFiles } from './watchedFiles.ts';

const line = (key: string): string => `web sha256:${createHash('sha256').update(key).digest('hex')}\n`;

describe('a keys file that changes under the server', () => {
  async function watched() {
    const folder = await temporaryFolder('keys');
    const keys = new KeyRing([]);
    const failures: string[] = [];
    const count = { uses: 0 };
    const file = join(folder, 'keys');
    const files = new WatchedFiles({
      paths: [file],
      use: ([text = '']) => {
        count.uses += 1;
        keys.replace(parseKeys(text));
      },
      onFailure: (sentence) => failures.push(sentence),
    });
    return {
      folder,
      file,
      files,
      failures,
      uses: () => count.uses,
      owner: (key: string) => keys.ownerOf(`Bearer ${key}`),
    };
  }

  test('counts from the next look on, and the old key no more', async () => {
    const { file, files, owner } = await watched();
    await writeFile(file, line('old'));
    await files.start();
    expect(owner('old')).toBe('web');
    await writeFile(file, line('new'));
    await files.look();
    expect([owner('old'), owner('new')]).toEqual([undefined, 'web']);
  });

  test('is noticed when the kubelet swaps the folder behind a symbolic link', async () => {
    const { folder, file, files, owner } = await watched();
    for (const [version, key] of [
      ['..1', 'old'],
      ['..2', 'new'],
    ] as const) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'keys'), line(key));
    }
    await symlink('..1', join(folder, '..data'));
    await symlink(join('..data', 'keys'), file);
    await files.start();
    expect(owner('old')).toBe('web');
    await symlink('..2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await files.look();
    expect([owner('old'), owner('new')]).toEqual([undefined, 'web']);
  });

  test('is read once by looks that meet', async () => {
    const { file, files, owner, uses } = await watched();
    await writeFile(file, line('old'));
    await files.start();
    await writeFile(file, line('new'));
    await Promise.all([files.look(), files.look(), files.look()]);
    expect([owner('new'), uses()]).toEqual(['web', 2]);
  });

  test('and is broken, or gone, keeps the last good keys and is told of once', async () => {
    const { file, files, failures, owner } = await watched();
    await writeFile(file, line('good'));
    await files.start();
    await writeFile(file, 'web s3cret\n');
    for (let i = 0; i < 3; i++) await files.look();
    expect(failures).toEqual([expect.stringMatching(/^Line 1 of the keys file must be/)]);
    await rm(file);
    for (let i = 0; i < 3; i++) await files.look();
    expect(failures).toEqual([expect.any(String), expect.stringMatching(/^ENOENT/)]);
    expect(owner('good')).toBe('web');
    await writeFile(file, line('mended'));
    await files.look();
    expect([owner('good'), owner('mended')]).toEqual([undefined, 'web']);
  });
});

test.each([
  ['is missing', undefined, /^A file of the settings can't be read: ENOENT/],
  ['has no keys', '\n', /^The keys file has no keys/],
])('a server whose keys file %s does not start', async (_what, text, sentence) => {
  const keysFile = join(await temporaryFolder('keys'), 'keys');
  if (text !== undefined) await writeFile(keysFile, text);
  const opening = openAccess({ auth: { keysFile }, limits: {} }, { now: () => 0, onFailure: () => undefined });
  await expect(opening).rejects.toMatchObject({
    reason: 'ConfigurationInvalid',
    message: expect.stringMatching(sentence),
  });
});

test('keys and rate of the settings take effect', async () => {
  const keysFile = join(await temporaryFolder('keys'), 'keys');
  await writeFile(keysFile, line('k'));
  const limits = { rate: { requestsPerSecond: 1, burst: 1 } };
  const { access, certificate, close } = await openAccess(
    { auth: { keysFile }, limits },
    { now: () => 0, onFailure: () => undefined },
  );
  onTestFinished(close);
  expect(certificate).toBeUndefined();
  expect([access?.admit('Bearer k', '::1')?.status, access?.admit('Bearer k', '::1')?.status]).toEqual([
    undefined,
    429,
  ]);
});

describe('a TLS certificate', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await temporaryFolder('tls');
    for (const name of ['one', 'two']) {
      const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
      const subject = ['-subj', `/CN=${name}`, '-days', '30'];
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
      await promisify(execFile)('openssl', ['req', '-x509', '-nodes', ...curve, ...files, ...subject]);
    }
  });

  async function serving() {
    const paths = [join(folder, 'tls.crt'), join(folder, 'tls.key')] as const;
    const put = async (name: string, part: 'crt' | 'key') =>
      copyFile(join(folder, `${name}.${part}`), join(folder, `tls.${part}`));
    await put('one', 'crt');
    await put('one', 'key');
    const certificate = new Certificate();
    const failures: string[] = [];
    const use = ([cert = '', key = '']: readonly string[]) => certificate.replace({ cert, key });
    const files = new WatchedFiles({ paths, use, onFailure: (sentence) => failures.push(sentence) });
    await files.start();
    const server = createServer(secureOptions(certificate.pair), (socket) => socket.end()).listen(0);
    certificate.follow(server);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const shown = async () => {
      const socket = connect({ port: (server.address() as AddressInfo).port, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      return new X509Certificate(raw).subject;
    };
    return { put, files, failures, shown };
  }

  test('is followed when it changes, and a pair caught in mid-swap leaves the old one in use', async () => {
    const { put, files, failures, shown } = await serving();
    expect(await shown()).toBe('CN=one');
    await put('two', 'crt');
    await files.look();
    expect([await shown(), failures]).toEqual([
      'CN=one',
      [expect.stringMatching(/^The TLS certificate and its key can't be used/)],
    ]);
    await put('two', 'key');
    await files.look();
    expect(await shown()).toBe('CN=two');
  });

  test('that is no certificate is refused with one sentence', async () => {
    const cert = await readFile(join(folder, 'one.key'), 'utf8');
    expect(() => new Certificate().replace({ cert, key: cert })).toThrow(
      /^The TLS certificate and its key can't be used: .*\.$/,
    );
  });
});
