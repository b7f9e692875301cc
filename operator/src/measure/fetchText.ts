import { EVIDENCE_MAX_BYTES } from '@slipway/crds/contract';
import { request } from 'undici';

/**
 * Fetches a text over HTTP with a bearer token: by POST where there is a JSON body to send, else by GET. undefined for
 * anything but a 200 within the time and size it allows.
 */
export type FetchText = (
  url: string,
  token: string,
  signal: AbortSignal,
  body?: string | undefined,
) => Promise<string | undefined>;

/** The real FetchText: a pod that is slow, gone or talks too much costs `patienceMs` and no more, and is never an error. */
export const fetchTextWithin =
  (patienceMs: number): FetchText =>
  async (url, token, signal, sent) => {
    const sending = sent === undefined ? {} : { 'content-type': 'application/json' };
    try {
      const { statusCode, body } = await request(url, {
        method: sent === undefined ? 'GET' : 'POST',
        body: sent ?? null,
        headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...sending },
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      });
      let text = '';
      for await (const chunk of body.setEncoding('utf8')) {
        text += String(chunk);
        if (text.length > EVIDENCE_MAX_BYTES) return undefined;
      }
      return statusCode === 200 ? text : undefined;
    } catch {
      return undefined;
    }
  };
