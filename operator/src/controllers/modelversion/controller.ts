import { LABELS } from '@slipway/crds/contract';
import { jobs, persistentVolumeClaims } from '../../api/builtin.ts';
import { type InferenceService, inferenceServices, type ModelVersion, modelVersions } from '../../api/kinds.ts';
import type { OperatorConfig } from '../../config.ts';
import {
  type ControllerContext,
  type ControllerSpec,
  type Grant,
  type Reconciler,
  source,
} from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { type Key, keyOf } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { parseClaimUri } from '../../render/pvcUri.ts';
import type { RuntimeImage } from '../../render/runtimeImage.ts';
import { verificationJob, verificationJobName } from '../../render/verificationJob.ts';
import { ensureChild, NameTaken } from '../jobs/ensureChild.ts';
import { jobSources, readJob } from '../jobs/jobWorld.ts';
import { writeStatus } from '../jobs/writeStatus.ts';
import { Latest } from '../latest.ts';
import { type Action, type Plan, plan, type World, waiting } from './plan.ts';

const NAME = 'modelversion';
const FIELD_MANAGER = `slipway-${NAME}`;
const NAME_TAKEN_MS = 5_000;

const GRANTS: readonly Grant[] = [
  { resource: modelVersions, verbs: ['get', 'list', 'watch'] },
  { resource: modelVersions, verbs: ['patch'], subresource: 'status' },
  { resource: jobs, verbs: ['get', 'create', 'patch', 'delete'] },
  { resource: persistentVolumeClaims, verbs: ['get'] },
];

/** The versions that an InferenceService names in its status: those whose servedBy or rejectedBy it may change. */
export function versionsOf({ metadata, spec, status }: InferenceService): Key[] {
  const { stable, candidate, rejected = [] } = status ?? {};
  const versions = [spec.model.version, stable?.version, candidate?.version, ...rejected.map(({ version }) => version)];
  const named = [...new Set(versions)].filter((version) => version !== undefined);
  return named.map((version) => ({ namespace: metadata.namespace ?? '', name: `${spec.model.name}-${version}` }));
}

class ModelVersionReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #runtime: RuntimeImage;
  readonly #latest: Latest<ModelVersion>;

  constructor(context: ControllerContext, { runtimeImage, imagePullPolicy }: OperatorConfig) {
    this.#context = context;
    this.#latest = new Latest(context.client, modelVersions);
    this.#runtime = { image: runtimeImage, pullPolicy: imagePullPolicy };
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(modelVersions).get(key);
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) {
      this.#latest.forget(key);
      return settled;
    }
    const mv = await this.#latest.of(cached, signal);
    if (mv === undefined) return settled;
    const world = await this.#read(mv, signal);
    const wanted = plan(world);
    try {
      for (const action of wanted.actions) await this.#act(mv, action, signal);
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error;
      return this.#write(
        world,
        waiting(world, 'NameTaken', error.message, { next: again(NAME_TAKEN_MS, error.message) }),
        signal,
      );
    }
    return this.#write(world, wanted, signal);
  }

  async #write({ mv, now }: World, { status, observed, events, next }: Plan, signal: AbortSignal): Promise<Outcome> {
    const { client, events: recorder } = this.#context;
    const options = { status, observed, now, fieldManager: FIELD_MANAGER, signal };
    const written = await writeStatus(client, modelVersions, mv, options);
    if (written !== undefined) {
      this.#latest.remember(written);
      for (const note of events) recorder.emit(mv, note);
    }
    return next;
  }

  async #read(mv: Stored<ModelVersion>, signal: AbortSignal): Promise<World> {
    const { client, store, now } = this.#context;
    const { name, namespace = '' } = mv.metadata;
    const verification = await readJob(this.#context, mv, verificationJobName(name), signal);
    const services = store(inferenceServices).list(namespace);
    const { claim } = parseClaimUri(mv.spec.artifact.uri);
    const decided = mv.status?.conditions?.some(({ type, status }) => type === 'Verified' && status !== 'Unknown');
    const claimExists =
      verification.job === undefined && decided !== true
        ? (await client.get(persistentVolumeClaims, { namespace, name: claim }, { signal })) !== undefined
        : true;
    return { mv, now: now(), verification, claimExists, services };
  }

  async #act(mv: Stored<ModelVersion>, action: Action, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    if (action.kind === 'StartVerification') {
      const options = { fieldManager: FIELD_MANAGER, signal, once: true };
      return ensureChild(client, jobs, verificationJob(mv, this.#runtime), mv, options);
    }
    const { uid } = action.job.metadata;
    return client.delete(jobs, keyOf(action.job), { signal, uid, propagation: 'Background' });
  }
}

/** Verifies ModelVersions: re-hashes the artifact, computes the gates, and says who serves it. */
export const modelVersionController = (config: OperatorConfig): ControllerSpec => ({
  name: NAME,
  grants: GRANTS,
  sources: [
    source({ resource: modelVersions, toKeys: (mv) => [keyOf(mv)] }),
    source({ resource: inferenceServices, toKeys: versionsOf }),
    ...jobSources(['verification'], LABELS.modelVersion),
  ],
  build: (context) => new ModelVersionReconciler(context, config),
});
