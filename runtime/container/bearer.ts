import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether two secrets are the same, in a time that tells nothing about where they differ or how long they are. */
const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digestOf(a), digestOf(b));

/**
 * Says whether an Authorization header carries the token of a file. The file is read for each question: it is small,
 * asked for about once a second, and a rotated Secret must count from the moment the kubelet swaps it in. A file that
 * is missing or empty grants nothing.
 */
export const bearerGate =
  (tokenFile: string) =>
  async (authorization: string | undefined): Promise<boolean> => {
    const token = (await readFile(tokenFile, 'utf8').catch(() => '')).trim();
    return token !== '' && sameSecret(authorization ?? '', `Bearer ${token}`);
  };

export const UNAUTHORIZED = 'Send the admin token of this pod as "Authorization: Bearer <token>".';
