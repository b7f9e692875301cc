import { readdir, readFile } from 'node:fs/promises';
import { pods } from '@slipway/operator/api/builtin.ts';
import type { Ground } from './ground.ts';
import { OPERATOR, OPERATOR_NAMESPACE } from './install.ts';

/** Processes of a pod, found by its uid in their cgroup: a container can not kill its own first process. */
async function processesOf(uid: string): Promise<number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const cgroup = await readFile(`/proc/${name}/cgroup`, 'utf8').catch(() => '');
      return cgroup.includes(uid) || cgroup.includes(uid.replaceAll('-', '_')) ? [Number(name)] : [];
    }),
  );
  return found.flat();
}

/** Kills the operator without warning, and its pod with it: the kubelet would wait longer from restart to restart. */
export async function killOperator({ client, kubectl }: Ground): Promise<void> {
  const running = await client.list(pods, OPERATOR_NAMESPACE);
  const processes = (await Promise.all(running.map(({ metadata }) => processesOf(metadata.uid)))).flat();
  if (processes.length === 0) throw new Error('no process of the operator was found');
  for (const pid of processes) process.kill(pid, 'SIGKILL');
  await kubectl('-n', OPERATOR_NAMESPACE, 'delete', 'pods', '--all', '--grace-period=0', '--force');
}

export const operatorIsBack = ({ kubectl }: Ground): Promise<string> =>
  kubectl('-n', OPERATOR_NAMESPACE, 'rollout', 'status', OPERATOR, '--timeout=90s');

/** Deletes its pods, as a drain or an upgrade does: the successor takes over as soon as it runs. */
export const replaceOperator = ({ kubectl }: Ground): Promise<string> =>
  kubectl('-n', OPERATOR_NAMESPACE, 'delete', 'pods', '--all', '--wait=false');
