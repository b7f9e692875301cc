import type { TrainingJobSpec } from '@slipway/crds';
import { API_VERSION, LABELS } from '@slipway/crds/contract';
import { DIGEST, modelVersion, type PodFacts, pod, trainingJob } from '../../../../test/trainingBuilders.ts';
import type { Job, Pod } from '../../../api/builtin.ts';
import type { ModelVersion, TrainingJob } from '../../../api/kinds.ts';
import { mergeConditions, rfc3339 } from '../../../kube/conditions.ts';
import type { Stored } from '../../../kube/wire.ts';
import { childNames } from '../../../render/trainingJobChildren.ts';
import { NO_JOB } from '../../jobs/jobWorld.ts';
import { plan } from '../plan.ts';
import type { Action, Plan, World } from '../world.ts';

const GRACE_MS = 30_000;
const NAMES = childNames('nightly');

/** A pod in the model: what it is made of, and whose it is. */
export interface ModelPod {
  readonly job: string;
  readonly attempt: number;
  readonly component: 'training' | 'publish';
  readonly uid: string;
  readonly node: string;
  facts: PodFacts;
  deletedAt: number | undefined;
  /** Its Job was deleted without it: nobody collects it. */
  orphaned?: boolean;
}

export interface ModelJob {
  readonly name: string;
  readonly uid: string;
  readonly attempt: number;
  readonly component: 'training' | 'publish';
  readonly size: number;
  suspended: boolean;
  /** A pod of a gang that a pass has seen whole was taken away: the others can't go on with another. */
  torn?: boolean;
  conditions: { type: string; at: number }[];
}

/** How far a pass comes before its operator dies: so many of its writes. */
export type Cut = number | undefined;

/**
 * One TrainingJob in a cluster: the Job controller, the garbage collector, kubelets and the operator's own passes, each
 * taking a step when it is told to. Nothing here sleeps and nothing is random.
 */
export class Cluster {
  now = Date.parse('2026-01-01T00:00:00Z');
  tj: Stored<TrainingJob>;
  readonly jobs = new Map<string, ModelJob>();
  pods: ModelPod[] = [];
  readonly lost = new Set<string>();
  version: Stored<ModelVersion> | undefined;
  deleted = false;
  #made = 0;

  constructor(spec: Partial<TrainingJobSpec>) {
    this.tj = trainingJob(spec);
  }

  #uid(): string {
    this.#made += 1;
    return `uid-${this.#made}`;
  }

  /** Takes a pod away without a trace; its Job makes another. */
  remove(gone: ModelPod): void {
    this.pods = this.pods.filter((p) => p !== gone);
    const job = this.liveJobs().find(({ uid }) => uid === gone.job);
    const isWhole = this.tj.status?.gang !== undefined && this.tj.status.attempt === gone.attempt;
    const isFailing = job !== undefined && this.podsOf(job).some(({ facts }) => facts.phase === 'Failed');
    if (job !== undefined && isWhole && !isFailing && !job.suspended && job.conditions.length === 0) job.torn = true;
  }

  /** Its queue takes a Job back, or lets it go. One that is let go with indexes done starts only the others. */
  queue(job: ModelJob, suspended: boolean): void {
    const isPartlyDone = this.podsOf(job).some(({ facts }) => facts.phase === 'Succeeded');
    if (suspended && !job.suspended && isPartlyDone) job.torn = true;
    job.suspended = suspended;
  }

  /** Time goes by, or, below zero, a clock is set back. */
  elapse(seconds: number): void {
    this.now += 1000 * seconds;
  }

  liveJobs(component: 'training' | 'publish' = 'training'): ModelJob[] {
    return [...this.jobs.values()].filter((job) => job.component === component && !this.#isEnded(job));
  }

  livePods(): ModelPod[] {
    return this.pods.filter(({ facts }) => facts.phase === 'Pending' || facts.phase === 'Running');
  }

  podsOf(job: ModelJob): ModelPod[] {
    return this.pods.filter(({ job: uid }) => uid === job.uid);
  }

  #isEnded({ conditions }: ModelJob): boolean {
    return conditions.some(({ type }) => type === 'Complete' || type === 'Failed');
  }

  /** The controllers of Kubernetes take one step each: Jobs make and end pods, and pods without a Job are collected. */
  step(): void {
    for (const job of this.jobs.values()) if (!this.#isEnded(job)) this.#controlJob(job);
    const owners = this.#owners();
    for (const p of this.livePods()) if (!owners.has(p.job) && !p.orphaned) p.deletedAt ??= this.now + GRACE_MS;
  }

  /** Kubelets that can be reached end what is deleted. A pod that its Job ends leaves nothing behind. */
  reap(): void {
    this.pods = this.pods.filter(({ deletedAt, node }) => deletedAt === undefined || this.lost.has(node));
  }

  #owners(): Set<string> {
    return new Set([...this.jobs.values()].map(({ uid }) => uid));
  }

  #controlJob(job: ModelJob): void {
    const pods = this.podsOf(job);
    const end = (type: string): void => void job.conditions.push({ type, at: this.now });
    if (job.suspended || job.conditions.length > 0) {
      for (const p of pods) if (this.livePods().includes(p)) p.deletedAt ??= this.now + GRACE_MS;
      const over = pods.every(({ facts }) => facts.phase === 'Failed' || facts.phase === 'Succeeded');
      if (!job.suspended && over) end('Failed');
      return;
    }
    if (pods.some(({ facts }) => facts.phase === 'Failed')) {
      end('FailureTarget');
      return;
    }
    const done = pods.filter(({ facts }) => facts.phase === 'Succeeded').length;
    if (done === job.size) {
      end('Complete');
      return;
    }
    for (let index = 0; index < job.size; index += 1) {
      if (!pods.some(({ facts }) => facts.index === index)) this.#makePod(job, index);
    }
  }

  #makePod(job: ModelJob, index: number): void {
    const { attempt, component } = job;
    const container = component === 'training' ? 'train' : 'publish';
    const node = ['n0', 'n1', 'n2'].find((name, i) => !this.lost.has(name) && i >= index % 3) ?? 'n9';
    const facts: PodFacts = { index, phase: 'Pending', container };
    this.pods.push({ job: job.uid, attempt, component, uid: this.#uid(), node, facts, deletedAt: undefined });
  }

  /** What one pass decides and writes; with `cut`, by an operator that dies after so many writes. */
  pass(cut?: Cut): Plan | undefined {
    if (this.deleted) return undefined;
    const decided = plan(this.world());
    if (decided.claimVersion === true) {
      if (cut !== 0) this.#claim();
      return decided;
    }
    for (const [i, action] of decided.actions.entries()) {
      if (cut !== undefined && i >= cut) return decided;
      this.#act(action);
    }
    if (cut === undefined || cut > decided.actions.length) this.#write(decided);
    return decided;
  }

  #claim(): void {
    const { conditions, ...status } = this.tj.status ?? {};
    const claimed = { phase: 'Pending' as const, attempt: 0, restarts: 0, ...status, version: '0.1.0' };
    this.tj = { ...this.tj, status: { ...claimed, ...(conditions === undefined ? {} : { conditions }) } };
  }

  #write({ status, observed }: Plan): void {
    const conditions = mergeConditions(this.tj.status?.conditions ?? [], observed, 1, new Date(this.now));
    this.tj = { ...this.tj, status: { ...status, observedGeneration: 1, conditions } };
  }

  #act(action: Action): void {
    switch (action.kind) {
      case 'StartAttempt':
        this.#makeJob(NAMES.attempt(action.attempt), action.attempt, 'training', this.tj.spec.nodes);
        return;
      case 'StartPublish':
        this.#makeJob(NAMES.publish, action.attempt, 'publish', 1);
        return;
      case 'DeleteJob':
        if (this.jobs.get(action.job.metadata.name)?.uid === action.job.metadata.uid)
          this.jobs.delete(action.job.metadata.name);
        return;
      case 'DeletePod': {
        const found = this.pods.find(({ uid }) => uid === action.pod.metadata.uid);
        if (found !== undefined) found.deletedAt ??= this.now + GRACE_MS;
        return;
      }
      case 'DeleteSelf':
        this.deleted = true;
        return;
      case 'CreateModelVersion':
        this.version ??= modelVersion(DIGEST);
    }
  }

  #makeJob(name: string, attempt: number, component: 'training' | 'publish', size: number): void {
    if (this.jobs.has(name)) return;
    const suspended = component === 'training' && this.tj.spec.queue !== undefined;
    this.jobs.set(name, { name, uid: this.#uid(), attempt, component, size, suspended, conditions: [] });
  }

  world(): World {
    const { status } = this.tj;
    const attempt = this.#jobWorld(NAMES.attempt(status?.attempt ?? 0));
    const current = attempt.job?.metadata.uid;
    const others = [...this.jobs.values()].filter(
      (j) => j.component === 'training' && j.uid !== current && !this.#isEnded(j),
    );
    const suspects = attempt.pods.map(({ spec }) => spec?.nodeName ?? '').filter((node) => this.lost.has(node));
    return {
      tj: this.tj,
      now: new Date(this.now),
      attempt,
      leftovers: {
        jobs: others.map((job) => this.#job(job)),
        pods: this.livePods()
          .filter((p) => p.component === 'training' && p.job !== current)
          .map((p) => this.#pod(p)),
      },
      publish: status?.trainedAt === undefined ? NO_JOB : this.#jobWorld(NAMES.publish),
      modelVersion: status?.artifact === undefined ? undefined : this.version,
      report: undefined,
      placement: undefined,
      lostNodes: new Map(suspects.map((node) => [node, 'does not answer'])),
      queue: undefined,
    };
  }

  #jobWorld(name: string): World['attempt'] {
    const job = this.jobs.get(name);
    return job === undefined ? NO_JOB : { job: this.#job(job), pods: this.podsOf(job).map((p) => this.#pod(p)) };
  }

  #job({ name, uid, conditions, suspended, size }: ModelJob): Stored<Job> {
    const done = this.pods
      .filter((p) => p.job === uid && p.facts.phase === 'Succeeded')
      .map(({ facts }) => facts.index);
    return {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        uid,
        resourceVersion: '1',
        ownerReferences: [{ apiVersion: API_VERSION, kind: 'TrainingJob', name: 'nightly', uid: 'tj-uid' }],
      },
      spec: { suspend: suspended, completions: size, template: {} },
      status: {
        completedIndexes: done.join(','),
        conditions: conditions.map(({ type, at }) => ({
          type,
          status: 'True',
          reason: type,
          message: '',
          lastTransitionTime: rfc3339(new Date(at)),
        })),
      },
    };
  }

  #pod({ uid, job, attempt, node, facts, deletedAt }: ModelPod): Stored<Pod> {
    const made = pod({ ...facts, node, ...(deletedAt === undefined ? {} : { deleted: rfc3339(new Date(deletedAt)) }) });
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: `nightly-a${attempt}`, uid: job };
    const labels = { ...made.metadata.labels, [LABELS.attempt]: String(attempt) };
    return { ...made, metadata: { ...made.metadata, name: `pod-${uid}`, uid, labels, ownerReferences: [owner] } };
  }

  /** Everything that a quiet world must leave as it is. */
  everything(): unknown {
    return [this.tj, [...this.jobs.values()], this.pods, this.version, this.deleted];
  }
}

export const isOver = (cluster: Cluster): boolean => ['Succeeded', 'Failed'].includes(cluster.tj.status?.phase ?? '');
