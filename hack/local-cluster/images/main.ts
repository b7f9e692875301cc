import { ensurePackages } from '../binaries/debian.ts';
import { chooseDriver, inspectMachine } from '../driver.ts';
import { progress } from '../progress.ts';
import { buildNamed } from './build.ts';
import { USUAL } from './catalog.ts';
import { buildByDocker } from './docker.ts';

const log = progress();
const names = process.argv.slice(2);

try {
  const driver = chooseDriver(process.env['SLIPWAY_CLUSTER_DRIVER'], await inspectMachine());
  if (driver === 'host') await ensurePackages(['buildah', 'mmdebstrap', 'debian-archive-keyring'], log);
  const build = driver === 'host' ? buildNamed : buildByDocker;
  // The image names go to stdout: `hack/cluster load $(hack/images)` builds and loads.
  for (const name of names.length > 0 ? names : USUAL) process.stdout.write(`${await build(name, log)}\n`);
} catch (error) {
  process.stderr.write(`hack/images: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
