import { join } from 'node:path';
import { DIRECTORIES, ENV, type PublishReport } from '@slipway/crds/contract';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { configMaps, type Job, jobs, type Pod, pods } from '@slipway/operator/api/builtin.ts';
import { type ModelVersion, modelVersions } from '@slipway/operator/api/kinds.ts';
import { publishReport } from '@slipway/operator/domain/workload/report.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';
import { restrictedPod } from '@slipway/operator/render/pod.ts';
import { parseClaimUri } from '@slipway/operator/render/pvcUri.ts';
import { build } from 'esbuild';
import { awaitGoal } from '../../ground/await.ts';
import { CLAIM, modelVersion, RUNTIME_IMAGE } from '../manifests.ts';
import { FIELD_MANAGER, keyIn, type Stage } from '../stage.ts';
import type { Fault } from './surgery.ts';

const PROGRAM = 'variant.mjs';
const CONFIG_MAP = 'variant-program';
const JOB_MS = 120_000;

/** The program as one file: the runtime image has Node and nothing of the tests. */
async function program(namespace: string): Promise<KubeObject & { data: Record<string, string> }> {
  const { outputFiles } = await build({
    entryPoints: [join(repositoryRoot, 'e2e', 'story', 'variants', 'main.ts')],
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    format: 'esm',
  });
  const metadata = { name: CONFIG_MAP, namespace };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [PROGRAM]: outputFiles[0]?.text ?? '' } };
}

const STORE = { name: 'store', mountPath: `${DIRECTORIES.claims}/${CLAIM}` };
const OUTPUT = { name: 'output', mountPath: DIRECTORIES.output };

/** As after a training run: a pod leaves an output, and the publisher publishes it. */
function variantJob(namespace: string, name: string, of: ModelVersion, version: string, fault: Fault): Job {
  const { path } = parseClaimUri(of.spec.artifact.uri);
  const image = RUNTIME_IMAGE;
  const alter = ['node', `/program/${PROGRAM}`, `${STORE.mountPath}/${path}`, DIRECTORIES.output];
  const env = {
    [ENV.modelName]: of.spec.model,
    [ENV.modelVersion]: version,
    [ENV.outputDir]: DIRECTORIES.output,
    [ENV.store]: JSON.stringify({ uri: `pvc://${CLAIM}` }),
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { labels: { variant: name } },
        spec: restrictedPod({
          initContainers: [
            {
              name: 'alter',
              image,
              command: [...alter, JSON.stringify(fault)],
              volumeMounts: [{ ...STORE, readOnly: true }, OUTPUT, { name: 'program', mountPath: '/program' }],
            },
          ],
          containers: [
            {
              name: 'publish',
              image,
              command: ['node', '/app/evaluator.mjs', 'publish'],
              env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
              volumeMounts: [STORE, OUTPUT],
            },
          ],
          volumes: [
            { name: 'store', persistentVolumeClaim: { claimName: CLAIM } },
            { name: 'output', emptyDir: {} },
            { name: 'program', configMap: { name: CONFIG_MAP } },
          ],
          extra: { restartPolicy: 'Never' },
        }),
      },
    },
  };
}

const ended = ({ status }: Pod): boolean => ['Succeeded', 'Failed'].includes(status?.phase ?? '');
const words = ({ status }: Pod): string =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
    .map(({ state }) => state?.terminated?.message ?? '')
    .join(' ');

function published({ ground, namespace }: Stage, job: string): Promise<PublishReport> {
  return until(
    async () => {
      const [pod] = await ground.client.list(pods, namespace, { labelSelector: `variant=${job}` });
      if (pod === undefined || !ended(pod)) return undefined;
      const report = publishReport(pod.status?.containerStatuses?.[0]?.state?.terminated?.message);
      if (report === undefined) throw new Error(`Job ${job} published nothing: ${words(pod)}`);
      return report;
    },
    { what: `Job ${job} to publish`, timeoutMs: JOB_MS },
  );
}

/** Publishes `of` with a fault as another version, and waits until its checks have passed. */
export async function publishFaulty(
  stage: Stage,
  of: ModelVersion,
  version: string,
  fault: Fault,
): Promise<ModelVersion> {
  const { client } = stage.ground;
  const as = { fieldManager: FIELD_MANAGER };
  const name = `variant-${version.replaceAll('.', '-')}`;
  await client.apply(configMaps, (await program(stage.namespace)) as never, as);
  await client.apply(jobs, variantJob(stage.namespace, name, of, version, fault), as);
  const { uri, digest } = await published(stage, name);
  const made = modelVersion(stage.namespace, of.spec.model, version, { uri, digest });
  await client.apply(modelVersions, made, as);
  return awaitGoal(client, modelVersions, keyIn(stage, made), 'Ready', JOB_MS);
}
