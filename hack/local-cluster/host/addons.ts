import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../progress.ts';
import { kubectl, kubectlWith } from './kubectl.ts';
import { directories } from './settings.ts';

const manifests = join(import.meta.dirname, '..', 'manifests');

/** Applies one of our manifests, with words of it replaced. */
export async function applyManifest(name: string, words: Readonly<Record<string, string>> = {}): Promise<void> {
  const text = await readFile(join(manifests, name), 'utf8');
  const filled = Object.entries(words).reduce((sum, [word, value]) => sum.replaceAll(word, value), text);
  await kubectlWith(filled, 'apply', '--server-side', '--force-conflicts', '-f', '-');
}

export const rollout = (namespace: string, deployment: string): Promise<string> =>
  kubectl('-n', namespace, 'rollout', 'status', `deployment/${deployment}`, '--timeout=120s');

/** Name service and volumes. Resolves when both have been applied; waitForAddons waits until they serve. */
export async function applyAddons(): Promise<void> {
  await applyManifest('coredns.yaml');
  await applyManifest('local-path.yaml', { VOLUMES_DIRECTORY: directories.volumes });
}

export async function waitForAddons(log: Log): Promise<void> {
  await Promise.all([rollout('kube-system', 'coredns'), rollout('local-path-storage', 'local-path-provisioner')]);
  log('DNS and volumes are ready');
}
