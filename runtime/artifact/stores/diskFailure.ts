import { Failure, sentenceOf } from '../failure.ts';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? '';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether a path is not there. */
export const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error));

/** What a disk said, as a cause that a person can act on. `where` stands at the beginning of the sentence. */
export function diskFailure(where: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const code = codeOf(cause);
  if (FULL.has(code)) return new Failure('StoreFull', `${where} is full: make room, or enlarge it.`, { cause });
  const refused = ['EACCES', 'EPERM', 'EROFS'].includes(code) ? ' (its owner or mode keeps this user out)' : '';
  return new Failure('StoreUnavailable', `${where} cannot be used: ${sentenceOf(cause)}${refused}.`, { cause });
}

/** Runs work on a disk; whatever it throws becomes a Failure. */
export async function onDisk<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw diskFailure(where, cause);
  }
}
