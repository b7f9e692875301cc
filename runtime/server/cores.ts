import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

/** What the kernel says of the CPU quota: cgroup v2's cpu.max, or v1's quota and period files. */
export interface QuotaFiles {
  readonly cpuMax?: string | undefined;
  readonly quotaUs?: string | undefined;
  readonly periodUs?: string | undefined;
}

/**
 * CPUs that the quota grants, a fraction; undefined when it sets no limit. Node itself counts the CPUs of the host, and
 * a pool as wide as the host in a pod of one CPU is throttled for most of each period.
 */
export function quotaCores({ cpuMax, quotaUs, periodUs }: QuotaFiles): number | undefined {
  const [quota, period] = cpuMax === undefined ? [quotaUs, periodUs] : cpuMax.trim().split(' ');
  const cores = Number(quota) / Number(period);
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

/** Whole CPUs to plan with: the quota rounded down, so that threads never outnumber it, and at least one. */
export const wholeCores = (quota: number | undefined, visible: number): number =>
  Math.max(1, Math.floor(Math.min(quota ?? visible, visible)));

const read = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

export async function availableCores(): Promise<number> {
  const quota = quotaCores({
    cpuMax: await read('/sys/fs/cgroup/cpu.max'),
    quotaUs: await read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'),
    periodUs: await read('/sys/fs/cgroup/cpu/cpu.cfs_period_us'),
  });
  return wholeCores(quota, availableParallelism());
}
