import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, run } from '@slipway/hack/local-cluster/command.ts';
import { clusterDirectory, repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { isAlive, type ProcessRecord, parseRecord } from '@slipway/hack/local-cluster/processRecord.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ground, hack, openGround } from '../ground/ground.ts';
import { GATEWAY, OPERATOR, OPERATOR_NAMESPACE } from '../ground/install.ts';

const PIDS = join(clusterDirectory, 'pids');
const NOTE = ['-n', 'default', 'configmap/written-before-the-crash'];

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(async () => {
  await ground.kubectl('delete', ...NOTE, '--ignore-not-found');
  await ground.close();
});

/** What `up` wrote down of each process that it started, by name. */
async function recorded(): Promise<Map<string, ProcessRecord>> {
  const names = (await readdir(PIDS)).sort();
  const records = names.map(async (name) => [name, parseRecord(await readFile(join(PIDS, name), 'utf8'))] as const);
  return new Map((await Promise.all(records)).flatMap(([name, record]) => (record ? [[name, record] as const] : [])));
}

const uidOf = (...what: readonly string[]): Promise<string> =>
  ground.kubectl('get', ...what, '-o', 'jsonpath={.metadata.uid}');

async function gatewayStatus(): Promise<number> {
  const { namespace, name } = GATEWAY;
  const address = await ground.kubectl(
    '-n',
    namespace,
    'get',
    `gateway/${name}`,
    '-o',
    'jsonpath={.status.addresses[0].value}',
  );
  return (await fetch(`http://${address}/`, { headers: { host: 'nobody.example.com' } })).status;
}

describe('a cluster whose every process was killed', () => {
  let before: Map<string, ProcessRecord>;
  let uids: readonly string[];
  const objects = (): Promise<string[]> =>
    Promise.all([uidOf(...NOTE), uidOf('crd/inferenceservices.slipway.dev'), uidOf('namespace/kube-system')]);

  beforeAll(async () => {
    await ground.kubectl('-n', 'default', 'create', 'configmap', 'written-before-the-crash', '--from-literal=kept=yes');
    [before, uids] = [await recorded(), await objects()];
    for (const { pid } of before.values()) process.kill(pid, 'SIGKILL');
    const anyAlive = async (): Promise<boolean> =>
      (await Promise.all([...before.values()].map(isAlive))).some((alive) => alive);
    await until(async () => !(await anyAlive()), { what: 'the processes to end', timeoutMs: 10_000 });
  });

  test('is known to be broken', async () => {
    const names = [
      'containerd',
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-proxy',
      'kube-scheduler',
      'kubelet',
    ];
    expect([...before.keys()]).toEqual(names.map((name) => `${name}.pid`));
    await expect(hack('cluster', ['status'])).rejects.toMatchObject({
      stdout: expect.stringMatching(/^cluster broken\n/),
    });
  });

  test('comes back by another `up`, as new processes', async () => {
    await hack('cluster', ['up']);
    const after = await recorded();
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, { pid }] of after) expect(pid, name).not.toBe(before.get(name)?.pid);
    expect(await hack('cluster', ['status'])).toMatch(/^cluster up\n/);
  });

  test('has a node that is ready and shows its accelerators', async () => {
    const template =
      'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status} {.items[*].status.allocatable.nvidia\\.com/gpu}';
    expect(await ground.kubectl('get', 'nodes', '-o', template)).toBe('True 4');
  });

  test('has a gateway that answers', async () => {
    expect(await gatewayStatus()).toBe(404);
  });

  test('kept its objects', async () => {
    expect(await objects()).toEqual(uids);
  });

  test('runs the operator, and starts new pods', async () => {
    await ground.kubectl('-n', OPERATOR_NAMESPACE, 'rollout', 'restart', OPERATOR);
    await ground.kubectl('-n', OPERATOR_NAMESPACE, 'rollout', 'status', OPERATOR, '--timeout=120s');
  });
});

test('another checkout is told in one sentence that the machine has a cluster, and leaves it alone', async () => {
  const other = await mkdtemp(join(tmpdir(), 'slipway-other-checkout-'));
  try {
    await cp(join(repositoryRoot, 'hack'), join(other, 'hack'), { recursive: true });
    await symlink(join(repositoryRoot, 'node_modules'), join(other, 'node_modules'));
    const refusal = await run(join(other, 'hack', 'cluster'), ['up']).catch((error: unknown) => error);
    if (!(refusal instanceof CommandError)) throw new Error(`\`up\` of another checkout was not refused: ${refusal}`);
    expect(refusal.stderr.trim()).toBe(
      `hack/cluster: Another checkout's cluster is up (${clusterDirectory}), and one machine holds one: run \`hack/cluster down\` there first.`,
    );
    await run(join(other, 'hack', 'cluster'), ['down']);
    expect(await hack('cluster', ['status'])).toMatch(/^cluster up\n/);
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});
