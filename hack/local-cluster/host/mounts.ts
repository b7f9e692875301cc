import { readFile } from 'node:fs/promises';
import { succeeds } from '../command.ts';

/** Mount points below a directory from /proc/self/mountinfo, innermost first. Spaces are written there as \040. */
export const mountsBelow = (mountinfo: string, directory: string): string[] =>
  mountinfo
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point.startsWith(`${directory}/`))
    .sort()
    .reverse();

/** Unmounts everything below the directory; what is still busy is detached and goes with its last user. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of mountsBelow(await readFile('/proc/self/mountinfo', 'utf8'), directory)) {
    if (!(await succeeds('umount', [point]))) await succeeds('umount', ['-l', point]);
  }
}
