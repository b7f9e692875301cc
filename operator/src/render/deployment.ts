import { ADMIN_PATHS, ANNOTATIONS, DIRECTORIES, ENV, FILES, LABELS, PORTS } from '@slipway/crds/contract';
import type { Deployment } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { RevisionSpec } from '../domain/revision.ts';
import { revisionOf } from '../domain/revision.ts';
import type { Stored } from '../kube/wire.ts';
import { containerResources, type PlacementMore } from './placement.ts';
import { type Container, type PodSpec, restrictedPod } from './pod.ts';
import { predictorMeta, predictorNames, revisionSelector, SERVER_CONTAINER } from './predictorChildren.ts';
import { revisionRecord } from './revisionRecord.ts';
import type { RuntimeImage } from './runtimeImage.ts';
import { type ServedArtifact, servedArtifact } from './servedArtifact.ts';
import { keysMount, keysVolume, settingsEnv } from './servingSettings.ts';

/** The server takes requests for so long after SIGTERM, until every proxy has heard that the pod is leaving. */
const DRAIN_SECONDS = 5;
/** Drain, and then the slowest request still under way. */
const GRACE_SECONDS = 30;
/** A large model takes minutes to load; until then only the progress deadline of the rollout counts. */
const STARTUP = { periodSeconds: 2, failureThreshold: 300 };

/**
 * A pod that refuses or says no is out after three probes, a second apart. One that is only slow to answer has longer:
 * on a node out of breath the probes of all pods time out at once, and what still answers would be taken out of service.
 */
const admin = (path: string) => ({ httpGet: { path, port: 'admin' }, timeoutSeconds: 5 });

const server = (
  { model, predictor }: RevisionSpec,
  { image, pullPolicy }: RuntimeImage,
  artifact: ServedArtifact,
  { mig }: PlacementMore,
): Container => ({
  name: SERVER_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  command: ['node', '/app/server.mjs'],
  env: [
    { name: ENV.modelName, value: model.name },
    { name: ENV.modelVersion, value: model.version },
    { name: ENV.modelDigest, value: model.digest },
    { name: ENV.artifactDir, value: DIRECTORIES.served },
    { name: ENV.adminTokenFile, value: `${DIRECTORIES.admin}/${FILES.token}` },
    { name: ENV.restPort, value: String(PORTS.rest) },
    { name: ENV.grpcPort, value: String(PORTS.grpc) },
    { name: ENV.adminPort, value: String(PORTS.admin) },
    { name: ENV.drainSeconds, value: String(DRAIN_SECONDS) },
    ...settingsEnv(predictor),
    ...artifact.env,
  ],
  ports: [
    { name: 'rest', containerPort: PORTS.rest },
    { name: 'grpc', containerPort: PORTS.grpc },
    { name: 'admin', containerPort: PORTS.admin },
  ],
  resources: containerResources(predictor.resources, predictor.accelerator, mig),
  startupProbe: { ...admin(ADMIN_PATHS.live), ...STARTUP },
  readinessProbe: { ...admin(ADMIN_PATHS.ready), periodSeconds: 1, failureThreshold: 3 },
  livenessProbe: { ...admin(ADMIN_PATHS.live), periodSeconds: 10, failureThreshold: 3 },
  volumeMounts: [
    ...artifact.mounts,
    { name: 'admin', mountPath: DIRECTORIES.admin, readOnly: true },
    ...keysMount(predictor),
  ],
});

function pod(service: string, spec: RevisionSpec, runtime: RuntimeImage, more: PlacementMore): PodSpec {
  const artifact = servedArtifact(spec, runtime);
  const selector = { matchLabels: revisionSelector(service, revisionOf(spec)) };
  return restrictedPod({
    ...(artifact.fetcher === undefined ? {} : { initContainers: [artifact.fetcher] }),
    containers: [server(spec, runtime, artifact, more)],
    volumes: [
      ...artifact.volumes,
      { name: 'admin', secret: { secretName: predictorNames(service).adminToken } },
      ...keysVolume(spec.predictor),
    ],
    placement: spec.predictor.placement,
    accelerator: spec.predictor.accelerator,
    more,
    extra: {
      terminationGracePeriodSeconds: GRACE_SECONDS,
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: selector,
        },
      ],
    },
  });
}

/**
 * The pods of one revision. It is made once and its template never changed, so a new release of the operator, which may
 * render it differently, restarts nothing. `replicas` is left out: it belongs to an autoscaler or to replicasPatch.
 * `more`: how the cluster offers what the spec asks of accelerators.
 */
export function deployment(
  infs: Stored<InferenceService>,
  spec: RevisionSpec,
  runtime: RuntimeImage,
  more: PlacementMore = {},
): Deployment {
  const service = infs.metadata.name;
  const revision = revisionOf(spec);
  const meta = predictorMeta(infs, predictorNames(service).revision(revision), revision);
  const facts = { [ANNOTATIONS.digest]: spec.model.digest };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...meta, annotations: { ...facts, ...revisionRecord(spec) } },
    spec: {
      selector: { matchLabels: revisionSelector(service, revision) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: {
          labels: { ...meta.labels, [LABELS.model]: spec.model.name, [LABELS.version]: spec.model.version },
          annotations: facts,
        },
        spec: pod(service, spec, runtime, more),
      },
    },
  };
}

/**
 * The number of pods, to be applied under a field manager of its own. If the one that applies the Deployment wrote it
 * too, leaving it out for an autoscaler would give the field up, and the server would set it back to 1.
 */
export const replicasPatch = ({ metadata: { name, namespace = '' } }: Deployment, replicas: number): Deployment =>
  ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { replicas } }) as Deployment;
