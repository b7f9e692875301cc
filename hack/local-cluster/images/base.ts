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

export const SUITE = 'bookworm';
/**
 * Node and onnxruntime are C++; everything else of Debian's essential set comes by itself. usr-is-merged stands in for
 * usrmerge, which would bring all of Perl.
 */
const PACKAGES = ['libstdc++6', 'libatomic1', 'usr-is-merged'];
const LEFT_OUT = ['doc', 'man', 'info', 'locale', 'zoneinfo', 'lintian'].map((name) => `/usr/share/${name}/*`);

const optionsFor = (packages: readonly string[]): string[] => [
  '--variant=essential',
  `--include=${packages.join(',')}`,
  '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
  ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
  // Copied from this machine, whose name and name server are no business of an image's.
  '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
];
const key = contentKey([SUITE, ...optionsFor(PACKAGES), process.arch]);

/** A small Debian made from packages, for machines that can't pull an image: glibc, a shell, coreutils. */
export const baseImage = `slipway.dev/base:${key}`;

/** An image of Debian packages. Its name ends in the key of what it holds. */
export interface DebianImage {
  readonly image: string;
  readonly packages: readonly string[];
  readonly lock: string;
}

const archiveName = (image: string): string => `${image.replace(/^.*\//, '').replace(':', '-')}.rootfs.tar`;

const rootFilesystem = ({ image, packages }: DebianImage, log: Log): Promise<string> =>
  cached(join(cacheDirectory(), 'images', archiveName(image)), async (target) => {
    log(`making a base image of Debian ${SUITE} packages (half a minute)`);
    const stop = heartbeat(log, 'making the base image');
    try {
      // mmdebstrap chooses the format by the name's end, and cached() makes under another name.
      await run('mmdebstrap', [...optionsFor(packages), '--format=tar', SUITE, target]);
    } finally {
      stop();
    }
  });

/** Puts a file into a build context without copying it where the file system allows. */
export const placeFile = (from: string, to: string): Promise<void> => link(from, to).catch(() => copyFile(from, to));

export const ensureBaseImage = (log: Log): Promise<string> =>
  debianImage({ image: baseImage, packages: PACKAGES, lock: 'base-image.lock' }, log);

/** Makes the image unless it is there, and returns its name. */
export const debianImage = (wanted: DebianImage, log: Log): Promise<string> =>
  withLock(join(cacheDirectory(), wanted.lock), () => makeImage(wanted, log));

async function makeImage(wanted: DebianImage, log: Log): Promise<string> {
  const { image } = wanted;
  if ((await imageId(image)) !== undefined) return image;
  const archive = await rootFilesystem(wanted, log);
  await inTemporaryFolder(async (context) => {
    await placeFile(archive, join(context, 'rootfs.tar'));
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nADD rootfs.tar /\nCMD ["/bin/sh"]\n');
    await buildImage({ image, context, dockerfile: join(context, 'Dockerfile') }, log);
  });
  return image;
}
