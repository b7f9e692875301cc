import { ANNOTATIONS } from '@slipway/crds/contract';
import { type Job, jobs } from '../../api/builtin.ts';
import { type ModelVersion, modelVersions } from '../../api/kinds.ts';
import type { OperatorConfig } from '../../config.ts';
import { rivalsFor } from '../../domain/registry/rivals.ts';
import type { ControllerContext, ControllerSpec, Reconciler } from '../../kube/contracts.ts';
import { type Outcome, settled } from '../../kube/outcome.ts';
import { type Key, keyOf, keyText } from '../../kube/resource.ts';
import { compact } from '../../render/compact.ts';
import { removalJob } from '../../render/removalJob.ts';
import type { RuntimeImage } from '../../render/runtimeImage.ts';
import { verificationJob } from '../../render/verificationJob.ts';
import { createChild, ensureChild, NameTaken } from '../jobs/ensureChild.ts';
import { writeStatus } from '../jobs/writeStatus.ts';
import { Latest } from '../latest.ts';
import { plan } from './plan.ts';
import { read } from './read.ts';
import { type Concerned, GRANTS, sources } from './sources.ts';
import { askOf } from './verification.ts';
import type { Action, BareStatus, Plan, World } from './world.ts';

const NAME = 'modelversion';
const FIELD_MANAGER = `slipway-${NAME}`;
/** What the sink was told is written by who tells it. */
const OTHERS = { conditions: [], fields: ['notified', 'notifiedApproval'] };

/** The Job bears the question that it answers, so that its result is taken for no other. */
function asked(job: Job, ask: string | undefined): Job {
  if (ask === undefined) return job;
  const annotations = { ...job.metadata.annotations, [ANNOTATIONS.verify]: ask };
  return { ...job, metadata: { ...job.metadata, annotations } };
}

class ModelVersionReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #runtime: RuntimeImage;
  readonly #latest: Latest<ModelVersion>;
  /** uid of the Job that verifies, by version: its status may lag, or be of a definition that lacks the field. */
  readonly #verifiers = new Map<string, string>();

  constructor(context: ControllerContext, { runtimeImage, imagePullPolicy }: OperatorConfig) {
    this.#context = context;
    this.#latest = new Latest(context.client, modelVersions);
    this.#runtime = { image: runtimeImage, pullPolicy: imagePullPolicy };
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const cached = this.#context.store(modelVersions).get(key);
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) {
      this.#latest.forget(key);
      this.#verifiers.delete(keyText(key));
      return settled;
    }
    const mv = await this.#latest.of(cached, signal);
    if (mv === undefined) return settled;
    const name = keyText(key);
    const world = await read(this.#context, mv, this.#verifiers.get(name), signal);
    const wanted = plan(world);
    try {
      for (const action of wanted.actions) await this.#act(world, action, signal);
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error;
      return this.#write(world, plan({ ...world, nameTaken: error.message }), signal);
    }
    const status = compact<BareStatus>({ ...wanted.status, verifier: this.#verifiers.get(name) ?? world.verifier });
    return this.#write(world, { ...wanted, status }, signal);
  }

  async #write({ mv, now }: World, { status, observed, events, next }: Plan, signal: AbortSignal): Promise<Outcome> {
    const { client, events: recorder } = this.#context;
    const options = { status, observed, now, fieldManager: FIELD_MANAGER, others: OTHERS, signal };
    const written = await writeStatus(client, modelVersions, mv, options);
    if (written !== undefined) {
      this.#latest.remember(written);
      for (const note of events) recorder.emit(mv, note);
    }
    return next;
  }

  async #act(world: World, action: Action, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    if (action.kind === 'DeleteJob') {
      const { uid } = action.job.metadata;
      return client.delete(jobs, keyOf(action.job), { signal, uid, propagation: 'Background' });
    }
    if (action.kind === 'StartVerification') return this.#verify(world, signal);
    const options = { fieldManager: FIELD_MANAGER, signal, once: true };
    return ensureChild(client, jobs, removalJob(world.mv, this.#runtime), world.mv, options);
  }

  async #verify({ mv, siblings, needs }: World, signal: AbortSignal): Promise<void> {
    const found = rivalsFor(mv, siblings);
    const rivals = found.kind === 'Known' ? found.rivals : [];
    const job = asked(verificationJob(mv, this.#runtime, rivals, !needs.readOnly), askOf(mv));
    const made = await createChild(this.#context.client, jobs, job, mv, signal);
    if (made !== undefined) this.#verifiers.set(keyText(keyOf(mv)), made.metadata.uid);
  }
}

/** Verifies ModelVersions, moves them through their stages, and deletes files that nobody needs any more. */
export function modelVersionController(config: OperatorConfig): ControllerSpec {
  const concerned: Concerned = { versions: undefined };
  return {
    name: NAME,
    grants: GRANTS,
    sources: sources(concerned),
    build: (context) => {
      concerned.versions = context.store(modelVersions);
      return new ModelVersionReconciler(context, config);
    },
  };
}
