import { get } from 'node:http';
import { ADMIN_PATHS, gatheringSchema } from '@slipway/crds/contract';
import { jsonOf } from '../artifact/json.ts';
import type { Heard } from './gathering.ts';

const PATIENCE_MS = 2_000;
const MOST_CHARACTERS = 4096;

const WHY: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known yet',
  EAI_AGAIN: 'its name is not known yet',
  ECONNREFUSED: 'it does not listen yet',
  EHOSTUNREACH: 'it cannot be reached',
  ENETUNREACH: 'it cannot be reached',
  ETIMEDOUT: 'it does not answer',
};

/**
 * Asks the agent of a pod what the pod waits for, over a connection of its own: a kept one would outlive a pod of the
 * same name, and a kept name its address.
 */
export function askPeer(host: string, port: number): Promise<Heard> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const silent = (error: NodeJS.ErrnoException) =>
      resolve({ silent: signal.aborted ? 'it does not answer' : (WHY[error.code ?? ''] ?? error.message) });
    const request = get({ host, port, path: ADMIN_PATHS.gathering, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', silent);
      response.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, MOST_CHARACTERS);
      });
      response.on('end', () => {
        const gathering = gatheringSchema.safeParse(jsonOf(text));
        resolve(gathering.success ? gathering.data : { silent: 'it has not begun' });
      });
    });
    request.on('error', silent);
  });
}
