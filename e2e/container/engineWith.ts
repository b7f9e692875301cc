import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { chooseDriver, inspectMachine } from '@slipway/hack/local-cluster/driver.ts';
import { archiveImage } from '@slipway/hack/local-cluster/images/buildah.ts';
import { type ImageName, recipeOf } from '@slipway/hack/local-cluster/images/catalog.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { progress } from '@slipway/hack/local-cluster/progress.ts';
import { inTemporaryFolder } from '@slipway/hack/local-cluster/temporaryFolder.ts';
import { getContainerRuntimeClient } from 'testcontainers';
import { openEngine } from './engine.ts';

/** Builds an image of this checkout and gives it to the engine, in place of an older one. */
async function provideImage(name: ImageName): Promise<void> {
  const driver = chooseDriver(process.env['SLIPWAY_CLUSTER_DRIVER'], await inspectMachine());
  await run(join(repositoryRoot, 'hack', 'images'), [name], { onLine: (line) => console.error(line) });
  // The other driver builds by the engine itself.
  if (driver !== 'host') return;
  const { container } = await getContainerRuntimeClient();
  await inTemporaryFolder(async (folder) => {
    const archive = join(folder, `${name}.tar`);
    await archiveImage(recipeOf(name).image, archive);
    const told = await container.dockerode.loadImage(createReadStream(archive));
    for await (const line of told) if (String(line).includes('"error"')) throw new Error(String(line));
  });
}

/** An engine and the image in it, once for the whole run; returns what ends it. */
export async function engineWith(name: ImageName): Promise<() => Promise<void>> {
  const log = progress();
  const engine = await openEngine(process.env['DOCKER_HOST'], log);
  process.env['DOCKER_HOST'] = engine.host;
  // Its reaper is an image of its own; the tests take their containers away themselves.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  try {
    await provideImage(name);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine.close;
}
