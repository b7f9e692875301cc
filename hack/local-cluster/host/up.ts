import { mkdir } from 'node:fs/promises';
import { systemArchives } from '../images/system.ts';
import type { Log } from '../progress.ts';
import { applyAddons, waitForAddons } from './addons.ts';
import { ensureCertificates } from './certificates.ts';
import { raiseContainerd } from './containerd.ts';
import { raiseControlPlane } from './controlPlane.ts';
import { raiseGateway } from './gateway.ts';
import { loadArchive } from './load.ts';
import { raiseNetwork } from './network.ts';
import { pretendAccelerators, raiseNode } from './node.ts';
import { checkPrerequisites, installPackages } from './prerequisites.ts';
import { directories, files, node } from './settings.ts';

/** Brings up what is not up. Run again after any crash, it starts what is missing on the state that is there. */
export async function up(log: Log): Promise<void> {
  await checkPrerequisites();
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
  // The addons need no node to be applied, and the node needs none of them to become ready.
  await Promise.all([raiseNode(log).then(() => log(`node ${node.name} is ready`)), applyAddons()]);
  await Promise.all([waitForAddons(log), raiseGateway(log)]);
  // A kubelet that restarts clears resources that no device plugin reports, which may be after the first patch.
  await pretendAccelerators();
  log(`the cluster is up: export KUBECONFIG=${files.kubeconfig}`);
}

async function loadSystemImages(archives: Awaited<ReturnType<typeof systemArchives>>, log: Log): Promise<void> {
  await raiseContainerd();
  for (const archive of archives) await loadArchive(archive);
  log('containerd has the images');
}
