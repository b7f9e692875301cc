import { chooseDriver, inspectMachine } from '../driver.ts';
import { prepareImageBuilds } from '../host/prerequisites.ts';
import { progress } from '../progress.ts';
import { buildNamed } from './build.ts';
import { imageNames, recipeOf, USUAL } from './catalog.ts';
import { buildByDocker } from './docker.ts';

const USAGE = `Usage: hack/images [${imageNames.join(' | ')}]...

Builds the container images (${USUAL.join(', ')} when none is named) and prints their names:
hack/cluster load $(hack/images)
`;

const log = progress();
const names = process.argv.slice(2);

async function build(): Promise<void> {
  // A wrong name is said before anything is installed or built.
  names.forEach(recipeOf);
  const driver = chooseDriver(process.env['SLIPWAY_CLUSTER_DRIVER'], await inspectMachine());
  if (driver === 'host') await prepareImageBuilds(log);
  const buildOne = driver === 'host' ? buildNamed : buildByDocker;
  for (const name of names.length > 0 ? names : USUAL) process.stdout.write(`${await buildOne(name, log)}\n`);
}

try {
  if (names.some((name) => ['help', '--help', '-h'].includes(name))) process.stdout.write(USAGE);
  else await build();
} catch (error) {
  process.stderr.write(`hack/images: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
