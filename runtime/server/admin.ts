import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ADMIN_PATHS, type Evidence } from '@slipway/crds/contract';
import type { Registry } from 'prom-client';
import { answerError, answerJson, answerText } from '../container/answers.ts';
import { UNAUTHORIZED } from '../container/bearer.ts';

export interface AdminDependencies {
  readonly ready: () => boolean;
  readonly registry: Registry;
  readonly evidence: () => Evidence;
  /** Whether an Authorization header may read the evidence. */
  readonly granted: (authorization: string | undefined) => Promise<boolean>;
}

type AdminAnswer = (
  request: IncomingMessage,
  response: ServerResponse,
  deps: AdminDependencies,
) => void | Promise<void>;

/** Probes and metrics are open to the cluster (a NetworkPolicy narrows that); evidence moves traffic, so it is not. */
const ANSWERS: Readonly<Record<string, AdminAnswer>> = {
  [ADMIN_PATHS.live]: (_request, response) => answerText(response, 200, 'ok'),
  [ADMIN_PATHS.ready]: (_request, response, { ready }) =>
    ready() ? answerText(response, 200, 'ok') : answerText(response, 503, 'not ready'),
  [ADMIN_PATHS.metrics]: async (_request, response, { registry }) =>
    answerText(response, 200, await registry.metrics(), registry.contentType),
  [ADMIN_PATHS.evidence]: async (request, response, { granted, evidence }) =>
    (await granted(request.headers.authorization))
      ? answerJson(response, 200, evidence())
      : answerError(response, 401, UNAUTHORIZED),
};

export function createAdminServer(deps: AdminDependencies): Server {
  return createServer((request, response) => void answer(request, response, deps));
}

async function answer(request: IncomingMessage, response: ServerResponse, deps: AdminDependencies): Promise<void> {
  request.resume();
  const path = (request.url ?? '').split('?', 1)[0] as string;
  const found = Object.hasOwn(ANSWERS, path) ? ANSWERS[path] : undefined;
  if (!found) return answerError(response, 404, 'There is nothing at this path.');
  if (request.method !== 'GET') return answerError(response, 405, 'Use GET here.');
  await found(request, response, deps);
}
