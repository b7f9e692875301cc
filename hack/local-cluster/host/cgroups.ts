import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../until.ts';
import { signal } from './processes.ts';
import { cgroupRoot } from './settings.ts';

const MOUNT = '/sys/fs/cgroup';
/** Version 2 of cgroups, where all controllers share one hierarchy. */
export const unified = existsSync(join(MOUNT, 'cgroup.controllers'));

/** The mounted hierarchies: one for each controller with version 1, one alone with version 2. */
async function hierarchies(): Promise<string[]> {
  if (unified) return [MOUNT];
  const names = await readdir(MOUNT).catch(() => []);
  return names.map((name) => join(MOUNT, name));
}

/** Whether the kernel lets us make cgroups at all; without them no container can be limited. */
export const haveCgroups = async (): Promise<boolean> =>
  unified || (existsSync(join(MOUNT, 'memory')) && existsSync(join(MOUNT, 'cpu')));

/** The kubelet refuses a cgroup root that does not exist. */
export async function ensureCgroupRoot(): Promise<void> {
  if (unified) {
    const controllers = (await readFile(join(MOUNT, 'cgroup.controllers'), 'utf8')).trim().split(' ');
    for (const name of controllers) await writeFile(join(MOUNT, 'cgroup.subtree_control'), `+${name}`).catch(() => {});
  }
  for (const hierarchy of await hierarchies()) await mkdir(join(hierarchy, cgroupRoot), { recursive: true });
  await (unified ? requireControllers() : fillCpusets());
}

/** In a container a cgroup with processes of its own can hand on no controller, and the kubelet would say so in its log. */
async function requireControllers(): Promise<void> {
  const given = (await readFile(join(MOUNT, cgroupRoot, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const missing = ['cpu', 'memory', 'pids'].filter((name) => !given.includes(name));
  if (missing.length > 0)
    throw new Error(
      `The cgroup controllers ${missing.join(', ')} can't be given to pods here: run this on a machine rather than in a container.`,
    );
}

/** With version 1 a new cpuset has no processors, and nothing can be put into it. */
async function fillCpusets(): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const parent = join(MOUNT, 'cpuset', file);
    if (existsSync(parent)) await writeFile(join(MOUNT, 'cpuset', cgroupRoot, file), await readFile(parent, 'utf8'));
  }
}

async function below(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return [...(await Promise.all(folders.map(below))).flat(), folder];
}

async function members(): Promise<number[]> {
  const roots = (await hierarchies()).map((hierarchy) => join(hierarchy, cgroupRoot));
  const groups = (await Promise.all(roots.map(below))).flat();
  const texts = await Promise.all(groups.map((group) => readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '')));
  return [...new Set(texts.flatMap((text) => text.split('\n').filter(Boolean).map(Number)))];
}

/** Kills every process that is still in one of our pods' cgroups and removes the cgroups. */
export async function emptyCgroups(): Promise<void> {
  const empty = async (): Promise<boolean> => {
    const pids = await members();
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.length === 0;
  };
  await until(empty, { what: "ending the pods' processes", timeoutMs: 10_000 });
  for (const hierarchy of await hierarchies()) {
    // Deepest first, as below() returns them.
    for (const group of await below(join(hierarchy, cgroupRoot))) await rmdir(group).catch(() => {});
  }
}
