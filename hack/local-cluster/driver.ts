import { succeeds } from './command.ts';
import type { Log } from './progress.ts';

/** A way to run a local cluster. */
export interface Driver {
  up(log: Log): Promise<void>;
  down(log: Log): Promise<void>;
  status(): Promise<{ readonly lines: readonly string[]; readonly isUp: boolean }>;
  load(image: string, log: Log): Promise<void>;
}

export type DriverName = 'host' | 'kind';

/** What decides the driver where SLIPWAY_CLUSTER_DRIVER does not. */
export interface Machine {
  readonly isRootOnLinux: boolean;
  readonly hasApt: boolean;
  readonly dockerRuns: boolean;
}

export function chooseDriver(wish: string | undefined, machine: Machine): DriverName {
  if (wish === 'host' || wish === 'kind') return wish;
  if (wish !== undefined && wish !== '') throw new Error(`SLIPWAY_CLUSTER_DRIVER is ${wish}: write host or kind.`);
  if (machine.isRootOnLinux && machine.hasApt) return 'host';
  if (machine.dockerRuns) return 'kind';
  throw new Error(
    'A local cluster needs root on Debian or Ubuntu, or else Docker and kind: use sudo, or install and start Docker.',
  );
}

export const inspectMachine = async (): Promise<Machine> => ({
  isRootOnLinux: process.platform === 'linux' && process.getuid?.() === 0,
  hasApt: await succeeds('apt-get', ['--version']),
  dockerRuns: await succeeds('docker', ['info']),
});
