import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinary } from '../binaries/find.ts';
import { recordOf } from '../processRecord.ts';
import type { Log } from '../progress.ts';
import { emptyCgroups } from './cgroups.ts';
import { ctr } from './containerd.ts';
import { removeLeftovers } from './leftovers.ts';
import { unmountBelow } from './mounts.ts';
import { bridgeOwner, lowerNetwork } from './network.ts';
import { daemonNames, endProcess, running, stopDaemon } from './processes.ts';
import { directories, files } from './settings.ts';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Removes every container and its snapshot but keeps the images, so that the next `up` need not import them. */
async function removeContainers(): Promise<void> {
  if (!(await running('containerd'))) return;
  for (const id of lines(await ctr('tasks', 'list', '--quiet'))) {
    await ctr('tasks', 'delete', '--force', id).catch(() => '');
  }
  const containers = lines(await ctr('containers', 'list', '--quiet'));
  if (containers.length > 0) await ctr('containers', 'delete', ...containers).catch(() => '');
}

/** Shims outlive containerd by design. Ours are those that were started with our socket's address. */
async function endShims(): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const isOurs = (words[0] ?? '').includes('containerd-shim') && words.includes(files.containerdSocket);
    const record = isOurs ? await recordOf(Number(pid)) : undefined;
    if (record) await endProcess(record);
  }
}

/** What an unclean end leaves in containerd's books is not worth mending: then its store goes too. */
async function clear(keepImages: boolean): Promise<void> {
  const store = directories.containerd;
  const gone = keepImages ? [join(store, 'state'), files.containerdSocket] : [store];
  const kept = new Set(['containerd', 'control-planes', 'lock']);
  const others = (await readdir(directories.root)).filter((name) => !kept.has(name));
  const paths = [...gone, ...others.map((name) => join(directories.root, name))];
  for (const path of paths) await rm(path, { recursive: true, force: true });
}

const FIRST = ['kubelet', 'kube-proxy', 'kube-controller-manager', 'kube-scheduler'];

/** Ends only what this checkout's `up` started, and removes what it left on the machine. The firewall falls last. */
export async function down(log: Log): Promise<void> {
  const names = await daemonNames();
  const owner = await bridgeOwner();
  if (names.length === 0 && owner !== directories.root) return log('there is no cluster of this checkout');
  for (const name of FIRST) await stopDaemon(name);
  const clean = (await running('containerd')) !== undefined;
  await removeContainers();
  await stopDaemon('containerd');
  await endShims();
  await emptyCgroups();
  log('the pods have ended');
  for (const name of names) await stopDaemon(name);
  await unmountBelow(directories.root);
  if (owner === directories.root) await lowerNetwork(await findBinary('kube-proxy', log).catch(() => undefined));
  await removeLeftovers();
  await clear(clean);
  log('the cluster is down');
}
