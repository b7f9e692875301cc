import type { Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, errors, interceptors, request } from 'undici';
import { Failure, sentenceOf } from '../../failure.ts';
import type { Credentials } from '../credentials.ts';

/** A server that says nothing for so long is gone. */
const SILENCE_MS = 30_000;
const REDIRECTS = 5;
const TRIES = 4;

export interface WebAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Readable & { text(): Promise<string>; dump(): Promise<void> };
}

export interface WebRequest {
  readonly method?: Dispatcher.HttpMethod;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | Readable;
}

/** Requests to one server, with the certificate authority of its Secret beside those that everybody trusts. */
export interface WebClient {
  ask(url: string, asked?: WebRequest): Promise<WebAnswer>;
  close(): Promise<void>;
}

/**
 * A client that follows redirects (an `authorization` goes to no other host) and asks again after a server that was
 * busy or let go, unless a body was streamed to it. Throws Failure StoreUnavailable when nobody answers.
 */
export function webClient(credentials: Credentials, sleep: (ms: number) => Promise<void>): WebClient {
  const own = credentials['ca.crt'];
  const agent = new Agent({
    connect: { timeout: 10_000, ...(own === undefined ? {} : { ca: [...getCACertificates('default'), own] }) },
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
  });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: REDIRECTS }));
  const once = async (url: string, { method = 'GET', headers = {}, body }: WebRequest): Promise<WebAnswer> => {
    const answer = await request(url, { method, headers: { ...headers }, body: body ?? null, dispatcher });
    return {
      status: answer.statusCode,
      header: (name) => [answer.headers[name]].flat()[0],
      body: answer.body as unknown as WebAnswer['body'],
    };
  };
  return {
    async ask(url, asked = {}) {
      const isStream = asked.body !== undefined && typeof asked.body !== 'string' && !Buffer.isBuffer(asked.body);
      for (let tries = 1; ; tries++) {
        const last = isStream || tries === TRIES;
        try {
          const answer = await once(url, asked);
          if (last || !isBusy(answer.status)) return answer;
          await answer.body.dump();
        } catch (cause) {
          if (last || !isTransient(cause)) throw unreachable(url, cause);
        }
        await sleep(250 * 2 ** tries);
      }
    },
    close: () => agent.destroy(),
  };
}

const isBusy = (status: number): boolean => [429, 500, 502, 503, 504].includes(status);

const LET_GO = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);

const isTransient = (cause: unknown): boolean =>
  cause instanceof errors.SocketError ||
  cause instanceof errors.HeadersTimeoutError ||
  LET_GO.has((cause as NodeJS.ErrnoException).code ?? '');

const unreachable = (url: string, cause: unknown): Failure =>
  new Failure(
    'StoreUnavailable',
    `${new URL(url).origin} cannot be reached: ${sentenceOf(cause) || String((cause as { code?: string }).code)}.`,
    {
      cause,
    },
  );

/** What an answer that is no success means. `what` begins the sentence. Reads and drops the body. */
export async function answerFailure(what: string, answer: WebAnswer): Promise<Failure> {
  const text = (await answer.body.text().catch(() => '')).replace(/\s+/g, ' ').slice(0, 200);
  const said = text === '' ? '' : ` (${text})`;
  if ([401, 403].includes(answer.status)) {
    return new Failure(
      'CredentialsRefused',
      `${what}: the server refuses the credentials of its Secret, or asks for some${said}.`,
    );
  }
  if ([404, 410].includes(answer.status)) return new Failure('ArtifactMissing', `${what}: it is not there.`);
  if (answer.status === 416) return new Failure('DigestMismatch', `${what}: it is shorter than its manifest says.`);
  if ([413, 507].includes(answer.status)) return new Failure('StoreFull', `${what}: the server takes no more${said}.`);
  return new Failure('StoreUnavailable', `${what}: the server answers ${answer.status}${said}.`);
}
