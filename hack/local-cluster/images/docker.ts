import { join } from 'node:path';
import { run, succeeds } from '../command.ts';
import { repositoryRoot } from '../paths.ts';
import type { Log } from '../progress.ts';
import { recipeOf } from './catalog.ts';

/** Builds an image by Docker on the public base images, for the kind driver. Docker keeps its own cache. */
export async function buildByDocker(name: string, log: Log): Promise<string> {
  if (!(await succeeds('docker', ['info'])))
    throw new Error('Docker does not answer: install it (https://docs.docker.com/get-docker) and start it.');
  const { image, dockerfile, target, context = '.' } = recipeOf(name);
  log(`building ${image}`);
  const args = ['build', '--tag', image, '--file', join(repositoryRoot, dockerfile)];
  await run('docker', [...args, ...(target === undefined ? [] : ['--target', target]), join(repositoryRoot, context)], {
    onLine: log,
  });
  return image;
}
