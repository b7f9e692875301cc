import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../binaries/lock.ts';
import { run } from '../command.ts';
import { cacheDirectory } from '../paths.ts';
import { heartbeat, type Log } from '../progress.ts';

/** Image and layer store of our own, shared by all checkouts, so that a second one starts warm. */
const store = (): string[] => [
  '--root',
  join(cacheDirectory(), 'buildah', 'store'),
  '--runroot',
  join(cacheDirectory(), 'buildah', 'run'),
];

export const buildah = (args: readonly string[], onLine?: Log): Promise<string> =>
  run('buildah', [...store(), ...args], onLine ? { onLine } : {});

/** The image's id; undefined when the store does not have it. */
export const imageId = (image: string): Promise<string | undefined> =>
  buildah(['inspect', '--type', 'image', '--format', '{{.FromImageID}}', image]).catch(() => undefined);

export interface BuildOptions {
  readonly image: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly target?: string;
  readonly arguments?: Readonly<Record<string, string>>;
  /** Mounted read-only while the image is built, never part of it: host path to path in the build. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** Builds and clearing up take turns, or one would remove what the other is about to use. */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(cacheDirectory(), { recursive: true });
  return withLock(join(cacheDirectory(), 'buildah.lock'), work);
}

/** Builds an image from a Dockerfile. Unchanged steps come from the layer store. */
export async function buildImage(options: BuildOptions, log: Log): Promise<void> {
  const { image, context, dockerfile, target, arguments: values = {}, mounts = {} } = options;
  const args = [
    'bud',
    // chroot needs neither a daemon nor a network bridge, and works inside containers too.
    '--isolation=chroot',
    '--layers',
    '--pull-never',
    ...(target === undefined ? [] : ['--target', target]),
    ...Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.entries(mounts).flatMap(([from, to]) => ['--volume', `${from}:${to}:ro`]),
    ...['--tag', image, '--file', dockerfile, context],
  ];
  await alone(async () => {
    const stop = heartbeat(log, `building ${image}`);
    await buildah(args, (line) => {
      if (/STEP .*: RUN |npm error|rror:/.test(line)) log(`  ${line.slice(0, 110)}`);
    }).finally(stop);
  });
}

/** Writes the image as a docker archive, the form that containerd and Docker both import. */
export async function archiveImage(image: string, target: string): Promise<void> {
  await buildah(['push', '--quiet', image, `docker-archive:${target}:${image}`]);
}
