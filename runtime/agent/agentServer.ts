import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ADMIN_PATHS, FILES, gatheringSchema } from '@slipway/crds/contract';
import { jsonOf } from '../artifact/json.ts';
import { answerError, answerJson, answerText } from '../container/answers.ts';
import { bearerGate, UNAUTHORIZED } from '../container/bearer.ts';
import { bodyText } from './body.ts';
import type { ProgressReading } from './progress.ts';
import type { ProgressBook } from './progressBook.ts';

export interface AgentOptions {
  /** Folder that the training container writes its progress to, and pod 0's prepare container who is missing. */
  readonly statusDir: string;
  readonly book: ProgressBook;
  readonly adminTokenFile: string;
  /** Token of the trainer's own progress POSTs. */
  readonly postTokenFile: string;
}

type Gate = ReturnType<typeof bearerGate>;
interface Agent extends AgentOptions {
  readonly mayRead: Gate;
  readonly mayPost: Gate;
}

/** Ten times what a report with 256 metrics takes. */
const MOST_BODY_BYTES = 256 * 1024;
/** A slow caller on the loopback is a broken one; sockets are few in 128 MiB. */
const SLOWEST_REQUEST_MS = 10_000;

const POST_PATH = /^\/apis\/trainer\.kubeflow\.org\/v1alpha1\/namespaces\/[^/]+\/trainjobs\/[^/]+\/status$/;

/**
 * The admin port of a training pod: /livez; the progress of the trainer for those who hold the token; who is missing of
 * the gang, for its pods; and Kubeflow's progress POST from the pod itself.
 */
export function createAgentServer(options: AgentOptions): Server {
  const agent = {
    ...options,
    mayRead: bearerGate(options.adminTokenFile),
    mayPost: bearerGate(options.postTokenFile),
  };
  const server = createServer((request, response) => {
    answer(request, response, agent).catch(() => request.destroy());
  });
  server.requestTimeout = SLOWEST_REQUEST_MS;
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, agent: Agent): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (POST_PATH.test(path)) return takePost(request, response, agent);
  request.resume();
  if (request.method !== 'GET') return answerError(response, 405, 'Use GET here.');
  if (path === ADMIN_PATHS.live) return answerText(response, 200, 'ok');
  if (path === ADMIN_PATHS.gathering) return answerGathering(response, agent.statusDir);
  if (path !== ADMIN_PATHS.progress) return answerError(response, 404, 'There is nothing at this path.');
  if (!(await agent.mayRead(request.headers.authorization))) return answerError(response, 401, UNAUTHORIZED);
  answerProgress(response, agent.book.read());
}

function answerProgress(response: ServerResponse, reading: ProgressReading): void {
  if (reading.kind === 'report') answerJson(response, 200, reading.progress);
  else if (reading.kind === 'none') answerError(response, 404, 'The trainer has not reported any progress yet.');
  else answerError(response, 422, reading.sentence);
}

async function answerGathering(response: ServerResponse, statusDir: string): Promise<void> {
  const text = await readFile(join(statusDir, FILES.gathering), 'utf8').catch(() => '');
  const gathering = gatheringSchema.safeParse(jsonOf(text));
  if (gathering.success) answerJson(response, 200, gathering.data);
  else answerError(response, 404, 'This pod waits for nobody, or has not begun to.');
}

const isLoopback = (address: string | undefined): boolean =>
  address === '::1' || /^(::ffff:)?127\./.test(address ?? '');

async function takePost(request: IncomingMessage, response: ServerResponse, agent: Agent): Promise<void> {
  const body = await bodyText(request, MOST_BODY_BYTES);
  if (request.method !== 'POST') return answerError(response, 405, 'Use POST here.');
  if (!isLoopback(request.socket.remoteAddress))
    return answerError(response, 403, 'Progress is taken from the pod itself only: post to 127.0.0.1.');
  if (!(await agent.mayPost(request.headers.authorization)))
    return answerError(response, 401, 'Send the token of the file that KUBEFLOW_TRAINER_SERVER_TOKEN names.');
  if (body === undefined) return answerError(response, 413, `Send at most ${MOST_BODY_BYTES} bytes.`);
  const reading = agent.book.post(body);
  if (reading.kind === 'invalid') answerError(response, 422, reading.sentence);
  else if (reading.kind === 'report') answerJson(response, 200, reading.progress);
}
