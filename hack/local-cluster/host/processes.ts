import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, type ProcessRecord, parseRecord, recordOf, recordText } from '../processRecord.ts';
import { until } from '../until.ts';
import { directories } from './settings.ts';

const pidFile = (name: string): string => join(directories.processes, `${name}.pid`);
export const logFile = (name: string): string => join(directories.logs, `${name}.log`);

/** The recorded process of that name, if that very process still runs. */
export async function running(name: string): Promise<ProcessRecord | undefined> {
  const record = parseRecord(await readFile(pidFile(name), 'utf8').catch(() => ''));
  return record !== undefined && (await isAlive(record)) ? record : undefined;
}

export interface Daemon {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the program in the background, in a session of its own, unless it runs already. Returns whether it started it. */
export async function startDaemon({ name, command, args, environment }: Daemon): Promise<boolean> {
  if (await running(name)) return false;
  await Promise.all([directories.processes, directories.logs].map((path) => mkdir(path, { recursive: true })));
  const log = openSync(logFile(name), 'a');
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: directories.root,
    env: { ...process.env, ...environment },
  });
  closeSync(log);
  const failure = new Promise<never>((_, reject) => child.on('error', reject));
  const record = await Promise.race([
    failure,
    until(async () => recordOf(child.pid ?? 0), { what: name, timeoutMs: 5000, everyMs: 10 }),
  ]);
  await writeFile(pidFile(name), recordText(record));
  child.unref();
  return true;
}

/** Why waiting for a daemon is hopeless: it is gone. */
export async function gone(name: string): Promise<string | undefined> {
  return (await running(name)) ? undefined : `${name} has ended; its log is ${logFile(name)}`;
}

export const daemonNames = async (): Promise<string[]> =>
  (await readdir(directories.processes).catch(() => [])).map((file) => file.replace(/\.pid$/, ''));

/** Nothing here keeps state that a sudden end could harm; an API server would wait a minute for its watches. */
const GRACE_MS = 2000;

/** Ends the recorded process: SIGTERM, then SIGKILL. Never touches another process that got its pid. */
export async function stopDaemon(name: string): Promise<void> {
  const record = await running(name);
  if (record) await endProcess(record);
  await rm(pidFile(name), { force: true });
}

export async function endProcess(record: ProcessRecord): Promise<void> {
  const isGone = async (): Promise<boolean> => !(await isAlive(record));
  signal(record.pid, 'SIGTERM');
  await until(isGone, { what: `ending process ${record.pid}`, timeoutMs: GRACE_MS }).catch(async () => {
    if (await isAlive(record)) signal(record.pid, 'SIGKILL');
    await until(isGone, { what: `killing process ${record.pid}`, timeoutMs: 10_000 });
  });
}

/** A process that has just ended by itself is what we wanted. */
export function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
