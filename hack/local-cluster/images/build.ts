import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../paths.ts';
import type { Log } from '../progress.ts';
import { baseImage } from './base.ts';
import { buildah, buildImage, imageId } from './buildah.ts';
import { type ImageRecipe, imageNames, recipeOf } from './catalog.ts';
import { clearStore } from './clear.ts';
import { ensureNodeBases, nodeBases } from './nodeBase.ts';
import { sourceKey } from './sources.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** The machine's certificate bundle is lent to the build where Node is told here to use it too. */
const lentCertificates = () =>
  process.env['NODE_EXTRA_CA_CERTS'] !== undefined && existsSync(CERTIFICATES)
    ? { mounts: { [CERTIFICATES]: CERTIFICATES }, arguments: { NODE_EXTRA_CA_CERTS: CERTIFICATES } }
    : { mounts: {}, arguments: {} };

/** The name that an image has only while its sources are these. */
async function exactName(name: string): Promise<string> {
  const recipe = recipeOf(name);
  const inputs = [recipe.dockerfile, ...recipe.sources];
  const key = await sourceKey(repositoryRoot, inputs, [nodeBases.run, nodeBases.build, recipe.target ?? '']);
  return `${recipe.image.split(':')[0]}:${recipe.target ?? 'image'}-${key}`;
}

/** Builds an image unless the same sources were built before, and names it. Returns its name. */
export async function buildNamed(name: string, log: Log): Promise<string> {
  const recipe = recipeOf(name);
  const exact = await exactName(name);
  if ((await imageId(exact)) === undefined) {
    await buildExact(recipe, exact, log);
    await clearStore([baseImage, nodeBases.run, nodeBases.build, ...(await Promise.all(imageNames.map(exactName)))]);
  } else log(`${recipe.image} is up to date`);
  await buildah(['tag', exact, recipe.image]);
  return recipe.image;
}

async function buildExact(recipe: ImageRecipe, image: string, log: Log): Promise<void> {
  const bases = await ensureNodeBases(log);
  const certificates = lentCertificates();
  log(`building ${recipe.image}`);
  await buildImage(
    {
      image,
      context: repositoryRoot,
      dockerfile: join(repositoryRoot, recipe.dockerfile),
      ...(recipe.target === undefined ? {} : { target: recipe.target }),
      arguments: { BUILD_BASE: bases.build, BASE: bases.run, CUDA_BASE: bases.run, ...certificates.arguments },
      mounts: certificates.mounts,
    },
    log,
  );
  log(`built ${recipe.image}`);
}
