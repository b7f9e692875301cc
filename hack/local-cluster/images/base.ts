import { copyFile, link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../binaries/cached.ts';
import { withLock } from '../binaries/lock.ts';
import { run } from '../command.ts';
import { contentKey } from '../contentKey.ts';
import { cacheDirectory } from '../paths.ts';
import { heartbeat, type Log } from '../progress.ts';
import { inTemporaryFolder } from '../temporaryFolder.ts';
import { buildImage, imageId } from './buildah.ts';

const SUITE = 'bookworm';
/**
 * Node and onnxruntime are C++; everything else of Debian's essential set comes by itself. usr-is-merged stands in for
 * usrmerge, which would bring all of Perl.
 */
const PACKAGES = ['libstdc++6', 'libatomic1', 'usr-is-merged'];
const LEFT_OUT = ['doc', 'man', 'info', 'locale', 'zoneinfo', 'lintian'].map((name) => `/usr/share/${name}/*`);

const options = [
  '--variant=essential',
  `--include=${PACKAGES.join(',')}`,
  '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
  ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
  // Copied from this machine, whose name and name server are no business of an image's.
  '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
];
const key = contentKey([SUITE, ...options, process.arch]);

/** A small Debian made from packages, for machines that can't pull an image: glibc, a shell, coreutils. */
export const baseImage = `slipway.dev/base:${key}`;

const rootFilesystem = (log: Log): Promise<string> =>
  cached(join(cacheDirectory(), 'images', `base-${key}.rootfs.tar`), async (target) => {
    log(`making a base image of Debian ${SUITE} packages (half a minute)`);
    const stop = heartbeat(log, 'making the base image');
    try {
      // mmdebstrap chooses the format by the name's end, and cached() makes under another name.
      await run('mmdebstrap', [...options, '--format=tar', SUITE, target]);
    } finally {
      stop();
    }
  });

/** Puts a file into a build context without copying it where the file system allows. */
export const placeFile = (from: string, to: string): Promise<void> => link(from, to).catch(() => copyFile(from, to));

export const ensureBaseImage = (log: Log): Promise<string> =>
  withLock(`${cacheDirectory()}/base-image.lock`, () => makeBaseImage(log));

async function makeBaseImage(log: Log): Promise<string> {
  if ((await imageId(baseImage)) !== undefined) return baseImage;
  const archive = await rootFilesystem(log);
  await inTemporaryFolder(async (context) => {
    await placeFile(archive, join(context, 'rootfs.tar'));
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nADD rootfs.tar /\nCMD ["/bin/sh"]\n');
    await buildImage({ image: baseImage, context, dockerfile: join(context, 'Dockerfile') }, log);
  });
  return baseImage;
}
