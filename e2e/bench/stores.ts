/**
 * Publish and fetch of 1 GiB in four files: a claim's folder, versitygw (S3) and Debian's registry (OCI) on this machine,
 * beside `cp` and a sync of the same files. Rounds are interleaved, so that all of them meet the same neighbours.
 * MIB=256 ROUNDS=1 for a quick look.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { progress } from '@slipway/hack/local-cluster/progress.ts';
import { fetchArtifact } from '@slipway/runtime/artifact/stores/openArtifact.ts';
import { withStore } from '@slipway/runtime/artifact/stores/openStore.ts';
import type { Delivery, LocalFile } from '@slipway/runtime/artifact/stores/store.ts';
import { createBucket } from '@slipway/runtime/artifact/stores/testing/bucket.ts';
import { contextIn, placeAt, writeSecret } from '@slipway/runtime/artifact/stores/testing/ground.ts';
import { LOGIN, type Servers, startServers } from '../stores/servers.ts';

const SIZE_MIB = Number(process.env['MIB'] ?? 1024);
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const FILES = 4;
const SECRET = 'store';

/** A file that no file system can make small. */
async function fill(path: string, mib: number): Promise<void> {
  const block = randomBytes(1024 * 1024);
  const file = await open(path, 'w');
  for (let i = 0; i < mib; i++) {
    block.writeUInt32LE(i);
    await file.write(block);
  }
  await file.sync();
  await file.close();
}

async function outputOf(folder: string): Promise<readonly LocalFile[]> {
  await mkdir(folder);
  const files = Array.from({ length: FILES }, (_, i) => ({ path: `part${i}`, from: join(folder, `part${i}`) }));
  for (const { from } of files) await fill(from, SIZE_MIB / FILES);
  return files;
}

/** Time, and CPU of this process alone, which tells more on a machine that others use too. */
async function measured(what: string, work: () => Promise<unknown>): Promise<void> {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  cpu.set(what, [...(cpu.get(what) ?? []), (user + system) / 1e6]);
  took.set(what, [...(took.get(what) ?? []), (performance.now() - begin) / 1000]);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const took = new Map<string, number[]>();
const cpu = new Map<string, number[]>();

interface Kind {
  readonly name: string;
  readonly root: () => Promise<string>;
  readonly secret?: string;
}

function kindsOf(servers: Servers): readonly Kind[] {
  const bucket = async () => {
    const entries = { AWS_ACCESS_KEY_ID: LOGIN.username, AWS_SECRET_ACCESS_KEY: LOGIN.password };
    const name = `b${randomUUID()}`;
    await createBucket({ ...entries, AWS_ENDPOINT_URL: servers.s3.url }, name);
    return `s3://${name}`;
  };
  return [
    { name: 'pvc', root: async () => `pvc://${randomUUID()}` },
    { name: 's3', root: bucket, secret: SECRET },
    { name: 'oci', root: async () => `oci://${servers.oci.host}/r${randomUUID()}` },
  ];
}

const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-stores-'));
const servers = await startServers(progress());

try {
  await writeSecret(folder, SECRET, {
    AWS_ACCESS_KEY_ID: LOGIN.username,
    AWS_SECRET_ACCESS_KEY: LOGIN.password,
    AWS_ENDPOINT_URL: servers.s3.url,
  });
  const context = contextIn(folder);
  for (let round = 0; round < ROUNDS; round++) {
    const output = join(folder, `output${round}`);
    const files = await outputOf(output);
    const copy = join(folder, 'copy');
    const copied = () => run('sh', ['-c', `cp -r '${output}' '${copy}' && sync -f '${copy}'`]);
    await measured('cp', copied);
    await rm(copy, { recursive: true });
    for (const { name, root, secret } of kindsOf(servers)) {
      const at = await root();
      const place = (uri: string) => placeAt(secret === undefined ? {} : { secret }, uri);
      let delivery: Delivery | undefined;
      const put = () => withStore(place(at), context, (store) => store.put(at, { model: 'bench', files }));
      await measured(`${name} publish`, async () => (delivery = await put()));
      const { uri = '', manifest } = delivery ?? {};
      const into = join(folder, 'into');
      await mkdir(into);
      await measured(`${name} fetch`, () => fetchArtifact(place(uri), manifest?.digest ?? '', into, context));
      await rm(into, { recursive: true });
      await withStore(place(uri), context, (store) => store.remove(uri));
    }
    await rm(output, { recursive: true });
  }
} finally {
  await servers.close();
  await rm(folder, { recursive: true, force: true });
}

const rate = (what: string): number => Math.round((SIZE_MIB * 1.048576) / median(took.get(what) ?? []));
const measurements = [...took.keys()].flatMap((what) => {
  const called = `1 GiB in 4 files: ${what === 'cp' ? 'cp and sync' : what}`;
  const seconds = Number(((median(cpu.get(what) ?? []) * 1024) / SIZE_MIB).toFixed(2));
  const speed = { what: called, value: rate(what), unit: 'MB/s' };
  return what === 'cp' ? [speed] : [speed, { what: `${called}, CPU of ours`, value: seconds, unit: 's' }];
});
console.table(measurements);
if (SIZE_MIB === 1024) {
  await mkdir(join(repositoryRoot, '.bench'), { recursive: true });
  await writeFile(join(repositoryRoot, '.bench', 'stores.json'), JSON.stringify({ name: 'stores', measurements }));
}
