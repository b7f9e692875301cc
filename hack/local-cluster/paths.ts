import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout this file belongs to. */
export const repositoryRoot = resolve(import.meta.dirname, '..', '..');

/** All running state of the local cluster: pids, logs, certificates, containers, kubeconfig. */
export const clusterDirectory = join(repositoryRoot, '.cluster');

/** What is costly to make and the same for every checkout. Entries are named by the hash of what made them. */
export const cacheDirectory = (environment: NodeJS.ProcessEnv = process.env): string =>
  join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'slipway');
