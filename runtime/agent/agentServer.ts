import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ADMIN_PATHS, FILES } from '@slipway/crds/contract';
import { answerError, answerJson, answerText } from '../container/answers.ts';
import { bearerGate, UNAUTHORIZED } from '../container/bearer.ts';
import { readingOf } from './progress.ts';

export interface AgentOptions {
  /** Folder that the training container writes progress.json to. */
  readonly statusDir: string;
  readonly adminTokenFile: string;
}

/** The admin port of a training pod: /livez, and the progress of the trainer for those who hold the token. */
export function createAgentServer(options: AgentOptions): Server {
  const granted = bearerGate(options.adminTokenFile);
  return createServer((request, response) => void answer(request, response, granted, options.statusDir));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  granted: ReturnType<typeof bearerGate>,
  statusDir: string,
): Promise<void> {
  request.resume();
  const path = (request.url ?? '').split('?', 1)[0];
  if (request.method !== 'GET') return answerError(response, 405, 'Use GET here.');
  if (path === ADMIN_PATHS.live) return answerText(response, 200, 'ok');
  if (path !== ADMIN_PATHS.progress) return answerError(response, 404, 'There is nothing at this path.');
  if (!(await granted(request.headers.authorization))) return answerError(response, 401, UNAUTHORIZED);
  await answerProgress(response, statusDir);
}

async function answerProgress(response: ServerResponse, statusDir: string): Promise<void> {
  const reading = readingOf(await readFile(join(statusDir, FILES.progress), 'utf8').catch(() => undefined));
  if (reading.kind === 'report') answerJson(response, 200, reading.progress);
  else if (reading.kind === 'none') answerError(response, 404, 'The trainer has not reported any progress yet.');
  else answerError(response, 422, reading.sentence);
}
