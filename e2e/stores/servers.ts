import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '@slipway/hack/local-cluster/binaries/debian.ts';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { type BoundChild, startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { freePorts } from '@slipway/hack/local-cluster/freePort.ts';
import type { Log } from '@slipway/hack/local-cluster/progress.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { request } from 'undici';

/** Real servers, and where their files lie, so that tests can damage them. */
export interface Servers {
  readonly s3: { readonly url: string; readonly folder: string };
  readonly oci: { readonly host: string; readonly folder: string };
  /** The same program, that asks for a name and a password. */
  readonly closedOci: { readonly host: string };
  close(): Promise<void>;
}

/** Not secret: they open servers that no other machine reaches, while the tests run. */
export const LOGIN = { username: 'slipway', password: 'secretsecret' } as const;
/** bcrypt of the password, the only hash that the registry takes. */
const HTPASSWD = `${LOGIN.username}:$2b$04$BTv0HleANEX4yqEHC5tIxOaY8U/u/xctdoI1F.WJ13MXESkFYPWe2\n`;

/**
 * versitygw (S3 over a folder) and Debian's registry, with all state in a temporary folder. `address`: of this machine,
 * where they listen.
 */
export async function startServers(log: Log, address = '127.0.0.1'): Promise<Servers> {
  await ensurePackages(['docker-registry', 'util-linux'], log);
  const gateway = await findBinary('versitygw', log);
  const folder = await mkdtemp(join(tmpdir(), 'slipway-stores-'));
  const [s3Port, ociPort, closedPort] = (await freePorts(3)) as [number, number, number];
  const children: BoundChild[] = [];
  const close = async () => {
    await Promise.all(children.map((child) => child.end()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const s3 = { url: `http://${address}:${s3Port}`, folder: join(folder, 's3') };
    await Promise.all([mkdir(s3.folder), mkdir(join(folder, 'sidecar'))]);
    const account = ['--access', LOGIN.username, '--secret', LOGIN.password, '--port', `${address}:${s3Port}`];
    // Attributes beside the files: not every file system of a test machine keeps them.
    children.push(
      startBound(
        gateway,
        [...account, '--quiet', 'posix', '--sidecar', join(folder, 'sidecar'), s3.folder],
        join(folder, 's3.log'),
      ),
    );
    children.push(await startRegistry(folder, 'oci', `${address}:${ociPort}`, ''));
    await writeFile(join(folder, 'htpasswd'), HTPASSWD);
    children.push(await startRegistry(folder, 'closed', `${address}:${closedPort}`, auth(join(folder, 'htpasswd'))));
    const hosts = [s3Port, ociPort, closedPort].map((port) => `${address}:${port}`);
    await Promise.all(
      hosts.map((host, index) => answers(`http://${host}${index === 0 ? '/' : '/v2/'}`, children[index])),
    );
    const [, host = '', closed = ''] = hosts;
    return { s3, oci: { host, folder: join(folder, 'oci') }, closedOci: { host: closed }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const auth = (htpasswd: string): string => `auth:\n  htpasswd:\n    realm: test\n    path: ${htpasswd}\n`;

async function startRegistry(folder: string, name: string, address: string, more: string): Promise<BoundChild> {
  const config = join(folder, `${name}.yml`);
  await mkdir(join(folder, name));
  const storage = `storage:\n  filesystem:\n    rootdirectory: ${join(folder, name)}\n  delete:\n    enabled: true\n`;
  await writeFile(config, `version: 0.1\nlog:\n  level: warn\n${storage}http:\n  addr: ${address}\n${more}`);
  return startBound('docker-registry', ['serve', config], join(folder, `${name}.log`));
}

const answers = (url: string, child: BoundChild | undefined): Promise<true> =>
  until(
    async () => {
      await (await request(url)).body.dump();
      return true as const;
    },
    { what: `the server at ${url}`, timeoutMs: 15_000, hopeless: () => child?.exited() },
  );
