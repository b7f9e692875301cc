import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';

/** How many CPUs to plan with, and in a clause how that was found out. */
export interface Cores {
  readonly count: number;
  readonly why: string;
}

/** What the search for a quota reads; `read` gives undefined for a file that is not there. */
export interface Surroundings {
  read(path: string): Promise<string | undefined>;
  /** CPUs that the scheduler may use, as Node counts them. */
  readonly visible: number;
}

const ROOT = '/sys/fs/cgroup';

/** A CPU quota in cores, a fraction; undefined where the text sets no limit ("max", or -1). */
export function quotaOf(quotaUs: string | undefined, periodUs: string | undefined): number | undefined {
  const cores = Number(quotaUs) / Number(periodUs);
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

/**
 * Folders of the process's own group and of those around it, innermost first, for a limit on any of them holds for all
 * inside. `cgroup` is /proc/self/cgroup: lines of "id:controllers:path", v2's with id 0 and no controllers. A container
 * sees its group at the root of the mount while the file may name the host's path, so the root is always there.
 */
export function groupFolders(cgroup: string, controller: 'cpu' | ''): string[] {
  const lines = cgroup.split('\n').map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const ours = lines.find((line) => line && (controller ? line[2]?.split(',').includes(controller) : line[1] === '0'));
  const folders: string[] = [];
  for (let path = ours?.[3] ?? '/'; path !== '/' && path !== '.'; path = posix.dirname(path)) folders.push(path);
  return [...folders, ''];
}

/**
 * Whole CPUs that this process may use: the tightest quota of its control groups rounded down, so that threads never
 * outnumber it and none is throttled, and at least one. Node itself counts the CPUs of the host.
 */
export async function countCores({ read, visible }: Surroundings): Promise<Cores> {
  const cgroup = (await read('/proc/self/cgroup')) ?? '';
  const quotas = [...(await quotasV2(read, cgroup)), ...(await quotasV1(read, cgroup))];
  const quota = quotas.length > 0 ? Math.min(...quotas) : undefined;
  if (quota === undefined || quota >= visible) {
    return { count: visible, why: `${visible} CPUs are visible and no quota is tighter` };
  }
  const count = Math.max(1, Math.floor(quota));
  return { count, why: `the CPU quota is ${Number(quota.toFixed(3))} of ${visible} visible CPUs` };
}

async function quotasV2(read: Surroundings['read'], cgroup: string): Promise<number[]> {
  const texts = await Promise.all(groupFolders(cgroup, '').map((path) => read(posix.join(ROOT, path, 'cpu.max'))));
  return texts.flatMap((text) => {
    const [quota, period] = text?.trim().split(/\s+/) ?? [];
    return quotaOf(quota, period) ?? [];
  });
}

async function quotasV1(read: Surroundings['read'], cgroup: string): Promise<number[]> {
  const folders = groupFolders(cgroup, 'cpu').flatMap((path) =>
    ['cpu', 'cpu,cpuacct'].map((mount) => posix.join(ROOT, mount, path)),
  );
  const found = await Promise.all(
    folders.map(async (folder) =>
      quotaOf(await read(posix.join(folder, 'cpu.cfs_quota_us')), await read(posix.join(folder, 'cpu.cfs_period_us'))),
    ),
  );
  return found.filter((quota) => quota !== undefined);
}

/** CPUs that this very process may use. */
export const availableCores = (): Promise<Cores> =>
  countCores({
    read: (path) => readFile(path, 'utf8').catch(() => undefined),
    visible: availableParallelism(),
  });
