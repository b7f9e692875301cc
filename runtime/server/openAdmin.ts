import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { type Baseline, FILES, type ShadowOrder } from '@slipway/crds/contract';
import { bearerGate } from '../container/bearer.ts';
import { type AdminModels, adminModel } from './adminModel.ts';
import type { AdminToken } from './adminToken.ts';
import { RUNTIME_VERSION, type ServerConfig } from './config.ts';
import type { ProcessState } from './evidence/document.ts';
import { exposition } from './evidence/exposition/exposition.ts';
import { watchProcess } from './evidence/exposition/processMetrics.ts';
import { CONTENT_TYPE } from './evidence/exposition/text.ts';
import type { Refusals } from './evidence/refusals.ts';
import { evidenceReport } from './evidenceReport.ts';
import type { Repository } from './models/repository.ts';
import type { ModelIdentity, ServedModel } from './models/servedModel.ts';
import { shadowPass } from './observe/shadow/pass.ts';
import type { Observing } from './observing.ts';
import { RequestError } from './requestError.ts';
import { type AskedModel, createAdminServer } from './rest/admin.ts';
import type { Peers } from './sessions/peers.ts';
import type { Sessions } from './sessions/sessions.ts';

export interface AdminParts {
  readonly config: ServerConfig;
  readonly repository: Repository;
  readonly observing: Observing;
  readonly refusals: Refusals;
  readonly sessions: Sessions;
  readonly peers: Peers;
  readonly token: AdminToken;
  /** The one model of a pod. */
  readonly identity: ModelIdentity | undefined;
  readonly phase: AdminModels['phase'];
  readonly state: () => ProcessState;
  readonly epoch: string;
  readonly onFailure: (sentence: string, cause: unknown) => void;
}

/** The port of probes, scrapers and the operator. Not listening yet. */
export function openAdmin(parts: AdminParts): Server {
  const { config, observing, token, identity, state, epoch, onFailure } = parts;
  const model = (asked: AskedModel) => adminModel(asked, parts);
  return createAdminServer({
    ready: () => state().ready,
    metrics: scrape(parts),
    evidence: evidenceReport({
      identity,
      model,
      observation: observing.of,
      state,
      startedAt: new Date(),
      epoch,
      now: () => new Date(),
    }),
    orderShadow: (order, asked) => follow(order, model(asked), observing, token),
    orderSession: (order) => parts.sessions.follow(order),
    orderPeers: (order) => parts.peers.follow(order),
    baseline: (asked) => baselineOf(model(asked)),
    granted: config.adminTokenFile === undefined ? undefined : bearerGate(config.adminTokenFile),
    onFailure,
  });
}

/** As the evidence of the version that answers now is counted by; the file may be gone or already that of another one. */
function baselineOf(model: ServedModel | undefined): Baseline {
  if (!model) throw new RequestError(503, 'The model is not loaded yet; come again later.', { 'retry-after': '1' });
  if (!model.evidence.baseline) throw new RequestError(404, `Model "${model.identity.name}" has no ${FILES.baseline}.`);
  return model.evidence.baseline;
}

function follow(order: ShadowOrder | null, model: ServedModel | undefined, observing: Observing, token: AdminToken) {
  if (!model) return;
  const pass = order && token.value !== '' ? shadowPass(token.value, order.id) : undefined;
  observing.of(model.identity)?.orderShadow(order, pass);
}

function scrape({ config, repository, observing, refusals, sessions, state }: AdminParts) {
  const ofProcess = watchProcess();
  const { tritonNames } = config.settings.serving.metrics;
  return async () => {
    const models = repository.all().map((model) => withShadow(model, observing));
    const own = exposition(
      models,
      {
        ...state(),
        refused: refusals.read(),
        passedOn: sessions.counts(),
        observed: observing.observatory.counts,
        build: BUILD,
      },
      { tritonNames },
    );
    return { text: `${own}${await ofProcess()}`, contentType: CONTENT_TYPE };
  };
}

function withShadow({ identity, settings, evidence, scheduler }: ServedModel, observing: Observing) {
  const shadow = observing.of(identity)?.shadowEvidence();
  return { identity, settings, evidence, scheduler, ...(shadow ? { shadow } : {}) };
}

const BUILD = {
  runtime: RUNTIME_VERSION,
  node: process.versions.node,
  onnxruntime: (createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }).version,
};
