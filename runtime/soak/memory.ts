import { readFile } from 'node:fs/promises';

/** Resident memory of a process, MiB, as the kernel counts it (proc(5), VmRSS). */
export async function residentMiB(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

export const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * How far the end of a series lies above (or below) its beginning, as a share: median of the last fifth against that of
 * the second one. The first is left out: what a process takes once, it takes there.
 */
export function drift(samples: readonly number[]): number {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const early = medianOf(samples.slice(fifth, 2 * fifth));
  return medianOf(samples.slice(-fifth)) / early - 1;
}
