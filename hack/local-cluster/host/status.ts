import { rejectedPackets } from './firewall.ts';
import { kubectl } from './kubectl.ts';
import { daemonNames, running } from './processes.ts';
import { files } from './settings.ts';

/** One `key value` pair a line, to be read by people and by scripts. */
export async function status(): Promise<{ readonly lines: readonly string[]; readonly isUp: boolean }> {
  const names = await daemonNames();
  const records = await Promise.all(names.map(async (name) => ({ name, record: await running(name) })));
  const isUp = names.length > 0 && records.every(({ record }) => record !== undefined);
  const lines = records.map(({ name, record }) => `${name} ${record ? `running pid=${record.pid}` : 'ended'}`);
  const rejects = await rejectedPackets();
  if (rejects !== undefined) lines.push(`rejects ${rejects}`);
  if (isUp) lines.push(`kubeconfig ${files.kubeconfig}`, ...(await pods()));
  return { lines: [`cluster ${isUp ? 'up' : names.length > 0 ? 'broken' : 'down'}`, ...lines], isUp };
}

async function pods(): Promise<string[]> {
  const template = '{range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.phase}{"\\n"}{end}';
  const text = await kubectl('get', 'pods', '-A', '-o', `jsonpath=${template}`).catch(
    (error) => `pods ${error.message}`,
  );
  return text.split('\n').map((line) => `pod ${line}`);
}
