import { request } from 'undici';
import { type QueryAnswer, readAnswer } from './answer.ts';

/** Asks a Prometheus for the value of an expression now. Never fails. */
export type InstantQuery = (server: string, query: string, signal: AbortSignal) => Promise<QueryAnswer>;

/** An answer of one number is some hundred bytes, and that of a query with too many series is told apart by its start. */
const LARGEST_ANSWER = 4 * 1024 * 1024;

const apiOf = (server: string): string => `${server.replace(/\/+$/, '')}/api/v1/query`;

async function textOf(body: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > LARGEST_ANSWER) throw new Error(`its answer is larger than ${LARGEST_ANSWER} bytes`);
  }
  return text;
}

/** The root of a failure in a few words: `fetch failed` alone tells nobody that a port is closed. */
const causeOf = (error: unknown): string => {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'TimeoutError') return 'no answer in time';
  return code ?? message ?? String(error);
};

/** The real InstantQuery: by POST, for a query may be longer than an address can be; redirects are not followed. */
export const instantQueryWithin =
  (patienceMs: number): InstantQuery =>
  async (server, query, signal) => {
    try {
      const { statusCode, body } = await request(apiOf(server), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({ query, timeout: `${patienceMs}ms` }).toString(),
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      });
      return readAnswer(statusCode, await textOf(body.setEncoding('utf8')), server);
    } catch (error) {
      return { kind: 'Unreachable', message: `${server} can not be asked: ${causeOf(error)}` };
    }
  };
