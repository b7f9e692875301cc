import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cached } from '../binaries/cached.ts';
import { findBinary } from '../binaries/find.ts';
import type { ToolName } from '../binaries/tools.ts';
import { contentKey } from '../contentKey.ts';
import { cacheDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';
import { inTemporaryFolder } from '../temporaryFolder.ts';
import { baseImage, ensureBaseImage, placeFile } from './base.ts';
import { archiveImage, buildImage } from './buildah.ts';
import { envoyBinary } from './envoy.ts';

/** Static programs need nothing but themselves; Envoy needs glibc. */
const STATIC: readonly ToolName[] = ['pause', 'coredns', 'envoy-gateway', 'local-path-provisioner'];

export const systemImage = (name: string): string => `slipway.dev/${name}:local`;

const dockerfile = (from: string, program: string): string => `FROM ${from}
COPY ${program} /usr/local/bin/${program}
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/${program}"]
`;

export interface Archive {
  readonly image: string;
  readonly path: string;
}

/** A docker archive of an image with one program in it, from the cache when nothing changed. */
async function archiveOf(name: string, binary: string, from: string, log: Log): Promise<Archive> {
  const text = dockerfile(from, name);
  // A cached binary lies in a folder named by the hash of what it was built from.
  const key = contentKey([text, basename(dirname(binary)), name]);
  const image = systemImage(name);
  const path = await cached(join(cacheDirectory(), 'images', `${name}-${key}.tar`), async (target) => {
    if (from !== 'scratch') await ensureBaseImage(log);
    log(`building image ${image}`);
    await inTemporaryFolder(async (context) => {
      await placeFile(binary, join(context, name));
      await writeFile(join(context, 'Dockerfile'), text);
      await buildImage({ image, context, dockerfile: join(context, 'Dockerfile') }, log);
    });
    await archiveImage(image, target);
  });
  return { image, path };
}

async function shellArchive(log: Log): Promise<Archive> {
  const image = systemImage('shell');
  const name = `shell-${baseImage.split(':')[1]}.tar`;
  const path = await cached(join(cacheDirectory(), 'images', name), async (target) => {
    await ensureBaseImage(log);
    await inTemporaryFolder(async (context) => {
      await writeFile(join(context, 'Dockerfile'), `FROM ${baseImage}\nUSER 65532:65532\nCMD ["/bin/sh"]\n`);
      await buildImage({ image, context, dockerfile: join(context, 'Dockerfile') }, log);
    });
    await archiveImage(image, target);
  });
  return { image, path };
}

/** Archives of all images that the cluster itself runs. `shell` is a bare Debian with /bin/sh. */
export async function systemArchives(log: Log): Promise<Archive[]> {
  const archives: Archive[] = [];
  for (const name of STATIC) archives.push(await archiveOf(name, await findBinary(name, log), 'scratch', log));
  archives.push(await archiveOf('envoy', await envoyBinary(log), baseImage, log), await shellArchive(log));
  return archives;
}
