import { mkdir } from 'node:fs/promises';
import { findBinary } from '../binaries/find.ts';
import { toolNames } from '../binaries/tools.ts';
import { gatewayChart } from '../gatewayChart.ts';
import { systemArchives } from '../images/system.ts';
import type { Log } from '../progress.ts';
import { applyAddons, waitForAddons } from './addons.ts';
import { ensureCertificates } from './certificates.ts';
import { raiseContainerd } from './containerd.ts';
import { raiseControlPlane } from './controlPlane.ts';
import { raiseGateway } from './gateway.ts';
import { kubectl } from './kubectl.ts';
import { loadArchive } from './load.ts';
import { raiseNetwork } from './network.ts';
import { pretendAccelerators, raiseNode } from './node.ts';
import { checkPrerequisites, installPackages } from './prerequisites.ts';
import { directories, files, node } from './settings.ts';

/** Brings up what is not up. Run again after any crash, it starts what is missing on the state that is there. */
export async function up(log: Log): Promise<void> {
  await checkPrerequisites();
  try {
    await raise(log);
  } catch (error) {
    for (const line of await recentWarnings()) log(line);
    throw error;
  }
}

/** What the cluster itself complained about last: most often that names the cause of a wait that was in vain. */
async function recentWarnings(): Promise<string[]> {
  const columns = 'custom-columns=OBJECT:.involvedObject.name,REASON:.reason,MESSAGE:.message';
  const args = ['get', 'events', '-A', '--field-selector', 'type=Warning', '--sort-by=.lastTimestamp', '-o', columns];
  const text = await kubectl(...args, '--no-headers', '--request-timeout=5s').catch(() => '');
  return text.split('\n').filter(Boolean).slice(-5);
}

async function raise(log: Log): Promise<void> {
  for (const name of toolNames) await findBinary(name, log);
  await gatewayChart(log);
  await installPackages(log);
  const archives = await systemArchives(log);
  await Promise.all([directories.root, directories.volumes].map((path) => mkdir(path, { recursive: true })));
  await raiseNetwork();
  log('the network is up, and nothing of it leaves the machine');
  await ensureCertificates();
  await Promise.all([
    loadSystemImages(archives, log),
    raiseControlPlane(log).then(() => log('the control plane is ready')),
  ]);
  // What runs on the node may be applied before it is there: its pods wait for it.
  await Promise.all([
    raiseNode(log).then(() => log(`node ${node.name} is ready`)),
    applyAddons().then(() => waitForAddons(log)),
    raiseGateway(log),
  ]);
  // A kubelet that restarts clears resources that no device plugin reports, which may be after the first patch.
  await pretendAccelerators();
  log(`the cluster is up: export KUBECONFIG=${files.kubeconfig}`);
}

async function loadSystemImages(archives: Awaited<ReturnType<typeof systemArchives>>, log: Log): Promise<void> {
  await raiseContainerd();
  for (const archive of archives) await loadArchive(archive);
  log('containerd has the images');
}
