import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { chooseDriver, inspectMachine } from '@slipway/hack/local-cluster/driver.ts';
import { archiveImage } from '@slipway/hack/local-cluster/images/buildah.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { progress } from '@slipway/hack/local-cluster/progress.ts';
import { inTemporaryFolder } from '@slipway/hack/local-cluster/temporaryFolder.ts';
import { getContainerRuntimeClient } from 'testcontainers';
import { openEngine } from './engine.ts';
import { IMAGE } from './server.ts';

/** Builds the image of the model server from this checkout and gives it to the engine, in place of an older one. */
async function provideImage(): Promise<void> {
  const driver = chooseDriver(process.env['SLIPWAY_CLUSTER_DRIVER'], await inspectMachine());
  await run(join(repositoryRoot, 'hack', 'images'), ['runtime'], { onLine: (line) => console.error(line) });
  // The other driver builds by the engine itself.
  if (driver !== 'host') return;
  const { container } = await getContainerRuntimeClient();
  await inTemporaryFolder(async (folder) => {
    const archive = join(folder, 'runtime.tar');
    await archiveImage(IMAGE, archive);
    const told = await container.dockerode.loadImage(createReadStream(archive));
    for await (const line of told) if (String(line).includes('"error"')) throw new Error(String(line));
  });
}

/** vitest global setup: an engine and the image in it, once for the whole run. */
export default async function setup(): Promise<() => Promise<void>> {
  const log = progress();
  const engine = await openEngine(process.env['DOCKER_HOST'], log);
  process.env['DOCKER_HOST'] = engine.host;
  // Its reaper is an image of its own; the tests take their containers away themselves.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  try {
    await provideImage();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine.close;
}
