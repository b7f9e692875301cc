import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Client } from '../kube/client.ts';
import type { Grant } from '../kube/contracts.ts';
import { scoped } from '../kube/grants.ts';
import type { Log } from '../kube/observe.ts';
import type { Key } from '../kube/resource.ts';
import { type Listening, listening } from '../telemetry/listening.ts';
import { ask, askGrants } from './ask.ts';
import { allowed, callerGrants, callerOf } from './callers.ts';
import { cloudEventOf } from './cloudEvent.ts';
import { Refusal } from './refusal.ts';

/** What the intake may do. Nothing of it is the operator's where no port is set. */
export const intakeGrants: readonly Grant[] = [...callerGrants, ...askGrants];

export interface IntakeOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly client: Client;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Empty: all. */
  readonly namespaces: readonly string[];
}

/** What every intermediary of CloudEvents must pass on (CloudEvents 1.0, §5). */
const MOST_BYTES = 64 * 1024;
const PATIENCE_MS = 10_000;
/** Each request is up to four calls to the API server, the first before it is known who asks. */
const MOST_AT_ONCE = 16;
const PATH =
  /^\/namespaces\/([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\/inferenceservices\/([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\/retrain$/;

function serviceOf({ url = '/', method }: IncomingMessage, namespaces: readonly string[]): Key {
  const [, namespace, , name] = PATH.exec(new URL(url, 'http://intake').pathname) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new Refusal(404, 'POST to /namespaces/NAMESPACE/inferenceservices/NAME/retrain.');
  }
  if (method !== 'POST') throw new Refusal(405, 'POST a CloudEvent.', { allow: 'POST' });
  if (namespaces.length > 0 && !namespaces.includes(namespace)) {
    throw new Refusal(404, `This operator does not work in namespace ${namespace}.`);
  }
  return { namespace, name };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // A request that is given up half-read is still to be answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES)
      throw new Refusal(413, `A CloudEvent may have ${MOST_BYTES} bytes.`, { connection: 'close' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, message: string, headers = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${message}\n`);
}

/** Who asks comes before what is asked: the body of a stranger is not read, and what exists is not told. */
async function take(request: IncomingMessage, options: IntakeOptions): Promise<{ status: number; message: string }> {
  const { log, namespaces } = options;
  const client = scoped(options.client, intakeGrants, 'the intake of CloudEvents');
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const key = serviceOf(request, namespaces);
  const caller = await callerOf(client, request.headers.authorization, signal);
  await allowed(client, caller, key, signal);
  const event = { ...cloudEventOf(request.headers, await bodyOf(request)), by: caller.username.slice(0, 253) };
  const isNew = await ask(client, key, event, signal);
  log.info({ ...key, event, isNew }, 'a CloudEvent asks for a retraining');
  return isNew
    ? { status: 202, message: `InferenceService ${key.name} is asked to retrain: its condition Retraining tells when.` }
    : { status: 200, message: 'This event (source and id) has asked before: nothing is asked twice.' };
}

/** Takes CloudEvents that ask for a retraining, from callers that the API server knows and lets. Any replica does. */
export async function serveIntake(options: IntakeOptions): Promise<Listening> {
  let underWay = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    underWay += 1;
    try {
      if (underWay > MOST_AT_ONCE) throw new Refusal(503, 'Too many events at once.', { 'retry-after': '1' });
      const { status, message } = await take(request, options);
      answer(response, status, message);
    } catch (error) {
      if (error instanceof Refusal) return answer(response, error.status, error.message, error.headers);
      options.log.warn({ err: error }, 'a CloudEvent could not be taken');
      answer(response, 503, 'The API server could not be asked: send the event again.', { 'retry-after': '5' });
    } finally {
      underWay -= 1;
      request.resume(); // what was refused unread must not hold the connection
    }
  };
  const limits = { requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS / 2 };
  const server = createServer(limits, (request, response) => void serve(request, response));
  return listening(server, options.port);
}
