import { alone, buildah } from './buildah.ts';

/** An image as `buildah images --json` lists it. */
export interface StoredImage {
  readonly id: string;
  /** Null for the intermediate images of a build. */
  readonly names: readonly string[] | null;
  readonly created: number; // seconds since 1970
}

const KEPT_S = 24 * 3600;
const KEYED = /^slipway\.dev\/[\w-]+:([\w-]+-)?[0-9a-f]{16}$/;

const isOld = ({ created }: StoredImage, now: number): boolean => created < now - KEPT_S;

/** Names by content of a day ago and more that stand for none of the current sources. */
export const outdatedNames = (images: readonly StoredImage[], current: readonly string[], now: number): string[] =>
  images
    .filter((image) => isOld(image, now))
    .flatMap(({ names }) => names ?? [])
    .filter((name) => KEYED.test(name) && !current.includes(name));

const list = async (...filter: string[]): Promise<StoredImage[]> =>
  JSON.parse((await buildah(['images', '--json', ...filter])) || '[]');

const remove = (image: string): Promise<string> => buildah(['rmi', image]).catch(() => '');

/**
 * Keeps the store from growing without bound: removes names that went out of use a day ago and more, the ends of builds
 * that nothing was built on since, and what interrupted builds left. To be called after a build, when what the next one
 * will reuse has young children and stays.
 */
export const clearStore = (current: readonly string[]): Promise<void> =>
  alone(async () => {
    const now = Date.now() / 1000;
    for (const name of outdatedNames(await list(), current, now)) await remove(name);
    // Removing the end of a chain removes what only it stood on.
    const ends = await list('--filter', 'dangling=true');
    for (const end of ends.filter((image) => isOld(image, now))) await remove(end.id);
    await buildah(['rm', '--all']).catch(() => '');
  });
