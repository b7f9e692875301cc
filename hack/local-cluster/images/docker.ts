import { join } from 'node:path';
import { run } from '../command.ts';
import { repositoryRoot } from '../paths.ts';
import type { Log } from '../progress.ts';
import { recipeOf } from './catalog.ts';

/** Builds an image by Docker on the public base images, for the kind driver. Docker keeps its own cache. */
export async function buildByDocker(name: string, log: Log): Promise<string> {
  const { image, dockerfile, target } = recipeOf(name);
  log(`building ${image}`);
  const args = ['build', '--tag', image, '--file', join(repositoryRoot, dockerfile)];
  await run('docker', [...args, ...(target === undefined ? [] : ['--target', target]), repositoryRoot], {
    onLine: log,
  });
  return image;
}
