import { RESPONSE_HEADERS } from '@slipway/crds/contract';
import { type Dispatcher, Pool } from 'undici';
import type { Answer } from './ledger.ts';

/** A question with a known answer. */
export interface Row {
  /** JSON body of a V2 infer request for one row. */
  readonly body: string;
  /** The class that turned out to be true. */
  readonly label: number;
}

export interface ProbeOptions {
  /** Base URL of the gateway, e.g. http://10.96.12.3:80. */
  readonly url: string;
  /** Host header: the route is chosen by it. */
  readonly host: string;
  readonly model: string;
  readonly rows: readonly Row[];
  readonly perSecond: number;
}

export interface Probe {
  /** Every answer so far, in order of arrival. */
  readonly answers: readonly Answer[];
  /** Stops sending and waits for the answers under way. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
const TIMEOUT_MS = 10_000;
const CONNECTIONS = 16;
/** Over this many unanswered requests the probe slows down instead of piling up: it measures, it does not flood. */
const MAX_IN_FLIGHT = 64;

interface Body {
  readonly model_version?: string;
  readonly outputs?: readonly { readonly name: string; readonly data: readonly number[] }[];
}

const isProbability = (x: unknown): x is number => typeof x === 'number' && x >= 0 && x <= 1;

/** The probability of class 1: the only number in the answer, or the second of two that sum to 1. */
function probabilityIn({ outputs = [] }: Body): number | undefined {
  const named = outputs.find((o) => o.name.startsWith('prob')) ?? outputs[0];
  const p = named?.data.at(-1);
  return named !== undefined && named.data.length <= 2 && isProbability(p) ? p : undefined;
}

type Verdict = Pick<Answer, 'sound' | 'squaredError' | 'why'>;
const unsound = (why: string): Verdict => ({ sound: false, squaredError: undefined, why });

/** Judges a body by what any correct answer must be. Pure, so that it can be tested without a server. */
export function judgeBody(status: number, version: string | undefined, text: string, label: number): Verdict {
  if (status !== 200) return unsound(`status ${status}: ${text.slice(0, 200)}`);
  if (version === undefined) return unsound('a 200 without a version header');
  let body: Body;
  try {
    body = JSON.parse(text) as Body;
  } catch {
    return unsound(`no JSON: ${text.slice(0, 200)}`);
  }
  if (body.model_version !== version) return unsound(`header says ${version}, body says ${body.model_version}`);
  const p = probabilityIn(body);
  if (p === undefined) return unsound(`no probability in ${text.slice(0, 200)}`);
  return { sound: true, squaredError: (p - label) ** 2, why: '' };
}

async function ask(pool: Pool, options: ProbeOptions, row: Row): Promise<Answer> {
  const sentAt = Date.now();
  const request: Dispatcher.RequestOptions = {
    method: 'POST',
    path: `/v2/models/${options.model}/infer`,
    headers: { host: options.host, 'content-type': 'application/json' },
    body: row.body,
  };
  try {
    const { statusCode, headers, body } = await pool.request(request);
    const text = await body.text();
    const header = headers[RESPONSE_HEADERS.version];
    const version = typeof header === 'string' ? header : undefined;
    const verdict = judgeBody(statusCode, version, text, row.label);
    return { sentAt, answeredAt: Date.now(), status: statusCode, version, ...verdict };
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { sentAt, answeredAt: Date.now(), status: undefined, version: undefined, ...unsound(why) };
  }
}

/** Asks real rows at a steady rate, round and round, and keeps every answer. */
export function startProbe(options: ProbeOptions): Probe {
  const pool = new Pool(options.url, {
    connections: CONNECTIONS,
    pipelining: 1,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const answers: Answer[] = [];
  const inFlight = new Set<Promise<void>>();
  let sent = 0;
  let owed = 0;
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    owed = Math.min(owed + ((now - last) / 1000) * options.perSecond, MAX_IN_FLIGHT);
    last = now;
    for (; owed >= 1 && inFlight.size < MAX_IN_FLIGHT; owed -= 1, sent += 1) {
      const row = options.rows[sent % options.rows.length];
      if (row === undefined) throw new Error('the probe has no rows to ask');
      const asked = ask(pool, options, row).then((answer) => {
        answers.push(answer);
        inFlight.delete(asked);
      });
      inFlight.add(asked);
    }
  }, TICK_MS);
  const end = async (): Promise<void> => {
    clearInterval(timer);
    await Promise.all(inFlight);
    // Every answer is in, so there is nothing to wait for: close() does, and rejects where a connection dies meanwhile.
    await pool.destroy();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= end();
    return stopped;
  };
  return { answers, stop };
}
