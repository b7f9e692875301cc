import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { run, succeeds } from '../command.ts';
import { acceptPods, lowerFirewall, raiseFirewall } from './firewall.ts';
import { directories, files, network } from './settings.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/**
 * The directory of the cluster that has the bridge now; undefined when none has. The device's alias holds it, because
 * the device is what two checkouts would fight about.
 */
export async function bridgeOwner(): Promise<string | undefined> {
  const alias = `/sys/class/net/${network.bridge}/ifalias`;
  return existsSync(alias) ? (await readFile(alias, 'utf8')).trim() : undefined;
}

/** A bridge as the node's address, the service range routed to it, and nothing of either let out. */
export async function raiseNetwork(): Promise<void> {
  await acceptPods();
  await raiseFirewall();
  if ((await bridgeOwner()) === undefined) await run('ip', ['link', 'add', network.bridge, 'type', 'bridge']);
  // Also where the bridge was left by a checkout that is gone: whose it is decides who takes it down.
  await run('ip', ['link', 'set', network.bridge, 'alias', directories.root]);
  await run('ip', ['addr', 'replace', `${network.nodeAddress}/24`, 'dev', network.bridge]);
  await run('ip', ['link', 'set', network.bridge, 'up']);
  await run('ip', ['route', 'replace', network.serviceRange, 'dev', network.bridge]);
  // A pod's own route goes with the pod. What is still sent to it then ends here instead of at the default route.
  await run('ip', ['route', 'replace', ...absentPods]);
  await allowForwarding();
}

const absentPods = ['unreachable', network.podRange];

/** Packets between pods and services are forwarded by the machine; its own setting comes back with `down`. */
async function allowForwarding(): Promise<void> {
  const before = (await readFile(FORWARDING, 'utf8')).trim();
  if (!existsSync(files.sysctls)) await writeFile(files.sysctls, JSON.stringify({ [FORWARDING]: before }));
  if (before !== '1') await writeFile(FORWARDING, '1');
}

async function restoreSysctls(): Promise<void> {
  if (!existsSync(files.sysctls)) return;
  const before = JSON.parse(await readFile(files.sysctls, 'utf8')) as Record<string, string>;
  for (const [path, value] of Object.entries(before)) await writeFile(path, value);
  await rm(files.sysctls);
}

/** Removes what raiseNetwork, kube-proxy and the CNI plugins left; the firewall falls last. */
export async function lowerNetwork(kubeProxy: string | undefined): Promise<void> {
  if (kubeProxy) await succeeds(kubeProxy, ['--cleanup']);
  await removeKubernetesChains();
  await succeeds('ip', ['link', 'delete', network.bridge]);
  await succeeds('ip', ['route', 'delete', ...absentPods]);
  await restoreSysctls();
  await lowerFirewall();
}

/** The kubelet and the portmap plugin leave chains of their own behind; `kube-proxy --cleanup` removes only its own. */
async function removeKubernetesChains(): Promise<void> {
  const ours = /^(KUBE-|CNI-)/;
  for (const table of ['nat', 'filter', 'mangle']) {
    const saved = await run('iptables-save', ['-t', table]).catch(() => '');
    const kept = saved.split('\n').filter((line) => !mentions(line, ours));
    if (kept.length < saved.split('\n').length)
      await run('iptables-restore', ['-w', '10', '-T', table], { input: `${kept.join('\n')}\n` });
  }
}

/** Whether an iptables-save line declares, fills or jumps to a chain of that name. */
export const mentions = (line: string, chain: RegExp): boolean => {
  const names = [/^:(\S+)/.exec(line)?.[1], /^-A (\S+)/.exec(line)?.[1], /-[jg] (\S+)/.exec(line)?.[1]];
  return names.some((name) => name !== undefined && chain.test(name));
};
