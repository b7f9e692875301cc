import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { repositoryRoot } from '../paths.ts';
import type { Log } from '../progress.ts';
import { ensureWheels, wheelsKey } from '../python/wheels.ts';
import { baseImage } from './base.ts';
import { buildah, buildImage, imageId } from './buildah.ts';
import { type ImageRecipe, imageNames, recipeOf } from './catalog.ts';
import { clearStore } from './clear.ts';
import { cudaBase, ensureCudaBase, withoutCuda } from './cudaBase.ts';
import { ensureNodeBases, nodeBases } from './nodeBase.ts';
import { ensurePythonBase, pythonBase } from './pythonBase.ts';
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
  const run = recipe.accelerator ? cudaBase : nodeBases.run;
  const bases =
    recipe.language === 'Python' ? [pythonBase, nodeBases.build, await wheelsKey()] : [run, nodeBases.build];
  const key = await sourceKey(repositoryRoot, inputs, [...bases, recipe.target ?? '']);
  return `${recipe.image.split(':')[0]}:${recipe.target ?? 'image'}-${key}`;
}

/** Builds an image unless the same sources were built before, and names it. Returns its name. */
export async function buildNamed(name: string, log: Log): Promise<string> {
  const recipe = recipeOf(name);
  const refusal = recipe.accelerator && withoutCuda(process.platform, process.arch);
  if (refusal) throw new Error(refusal);
  const exact = await exactName(name);
  if ((await imageId(exact)) === undefined) {
    await buildExact(recipe, exact, log);
    await clearStore([
      baseImage,
      pythonBase,
      nodeBases.run,
      nodeBases.build,
      cudaBase,
      ...(await Promise.all(imageNames.map(exactName))),
    ]);
  } else log(`${recipe.image} is up to date`);
  await buildah(['tag', exact, recipe.image]);
  return recipe.image;
}

/** Build arguments and mounts that stand in for what a public base image and a package index would give. */
async function surroundingsOf(recipe: ImageRecipe, log: Log) {
  const bases = await ensureNodeBases(log);
  const certificates = lentCertificates();
  if (recipe.language !== 'Python') {
    const cuda = recipe.accelerator ? await ensureCudaBase(log) : bases.run;
    const values = { BUILD_BASE: bases.build, BASE: bases.run, CUDA_BASE: cuda };
    return { arguments: { ...values, ...certificates.arguments }, mounts: certificates.mounts };
  }
  const base = await ensurePythonBase(log);
  const wheels = await ensureWheels(log);
  // Under the name of what they hold: a layer that was made from other wheels must not be taken for one of these.
  const at = `/wheels/${basename(wheels)}`;
  const values = { NODE_BASE: bases.build, BASE: base, PIP_NO_INDEX: '1', PIP_FIND_LINKS: at };
  const mounts = { ...certificates.mounts, [wheels]: at };
  return { arguments: { ...values, ...certificates.arguments }, mounts };
}

async function buildExact(recipe: ImageRecipe, image: string, log: Log): Promise<void> {
  const given = await surroundingsOf(recipe, log);
  log(`building ${recipe.image}`);
  await buildImage(
    {
      image,
      context: join(repositoryRoot, recipe.context ?? ''),
      dockerfile: join(repositoryRoot, recipe.dockerfile),
      ...(recipe.target === undefined ? {} : { target: recipe.target }),
      ...given,
    },
    log,
  );
  log(`built ${recipe.image}`);
}
