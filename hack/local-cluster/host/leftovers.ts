import { readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { directories, podNetworkName } from './settings.ts';

/** Innermost first. */
const FOLDERS = [
  '/var/lib/cni/results',
  '/var/lib/cni',
  '/var/log/containers',
  '/var/lib/kubelet/device-plugins',
  '/var/lib/kubelet',
  '/run/containerd/runc/k8s.io',
  '/run/containerd/runc',
  '/run/containerd/s',
  '/run/containerd',
];

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** The CNI library's notes on pods that are gone; its folder can't be chosen. A pod of ours has one for loopback too. */
async function removeNetworkResults(): Promise<void> {
  const folder = '/var/lib/cni/results';
  const names = await namesIn(folder);
  const pods = names.flatMap((name) => new RegExp(`^${podNetworkName}-([0-9a-f]{64})-`).exec(name)?.[1] ?? []);
  for (const name of names) {
    if (pods.some((pod) => name.includes(pod))) await rm(join(folder, name), { force: true });
  }
}

/** Links that the kubelet makes to the logs in our folder; theirs can't be chosen either. */
async function removeLogLinks(): Promise<void> {
  const folder = '/var/log/containers';
  for (const name of await namesIn(folder)) {
    const target = await readlink(join(folder, name)).catch(() => '');
    if (target.startsWith(`${directories.root}/`)) await rm(join(folder, name), { force: true });
  }
}

/** Removes what kubelet, containerd and the CNI plugins wrote outside our folder; folders only when they are empty. */
export async function removeLeftovers(): Promise<void> {
  await removeNetworkResults();
  await removeLogLinks();
  for (const folder of FOLDERS) await rmdir(folder).catch(() => {});
}
