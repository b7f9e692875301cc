import { readFile } from 'node:fs/promises';

/** A process and when it started: a pid alone may by now belong to someone else's process. */
export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat; '' where there is no /proc. */
  readonly start: string;
  /** Ticks count from boot, so a record of an earlier boot proves nothing. */
  readonly boot: string;
}

export const recordText = (record: ProcessRecord): string => `${record.pid} ${record.start} ${record.boot}\n`;

/** Undefined for anything that recordText did not write, such as a file cut off by a crash. */
export function parseRecord(text: string): ProcessRecord | undefined {
  const match = /^(\d+) (\S*) (\S*)\n$/.exec(text);
  return match ? { pid: Number(match[1]), start: match[2] ?? '', boot: match[3] ?? '' } : undefined;
}

/** State and start time from /proc/<pid>/stat. The command name may hold spaces and parentheses, hence the last one. */
export function parseStat(stat: string): { readonly state: string; readonly start: string } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
const bootId = async (): Promise<string> => (await read('/proc/sys/kernel/random/boot_id')).trim();

/** The record of a process that runs now; undefined when it does not, or is a zombie. */
export async function recordOf(pid: number): Promise<ProcessRecord | undefined> {
  const { state, start } = parseStat(await read(`/proc/${pid}/stat`));
  return state === '' || state === 'Z' || state === 'X' ? undefined : { pid, start, boot: await bootId() };
}

export const currentProcess = async (): Promise<ProcessRecord> =>
  (await recordOf(process.pid)) ?? { pid: process.pid, start: '', boot: '' };

/** Whether that very process still runs. */
export async function isAlive(record: ProcessRecord): Promise<boolean> {
  const now = await recordOf(record.pid);
  return now !== undefined && now.start === record.start && now.boot === record.boot;
}
