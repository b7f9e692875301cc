import { LABELS } from '@slipway/crds/contract';
import { deployments, services } from '@slipway/operator/api/builtin.ts';
import { httpRoutes } from '@slipway/operator/api/gateway.ts';
import type { ModelVersion } from '@slipway/operator/api/kinds.ts';
import { awaitObject } from '../../ground/await.ts';
import { flightRows } from '../../load/rows.ts';
import { type Detection, detectionIn } from '../../story/detection.ts';
import { smallService } from '../../story/manifests.ts';
import { FIELD_MANAGER, keyIn, type Stage } from '../../story/stage.ts';
import { openTraffic, type Traffic } from '../../story/traffic.ts';
import {
  type ArgoRollout,
  analysisTemplates,
  argoRollout,
  argoRollouts,
  argoRoute,
  argoService,
  asPeer,
  errorAnalysis,
  type PodTemplate,
} from './manifests.ts';

const NAME = 'argo';
const WAIT_MS = 180_000;
const AS = { fieldManager: FIELD_MANAGER };

/** How the pods of a version look that our operator serves now. */
export async function podTemplateOf({ ground, namespace }: Stage, version: string): Promise<PodTemplate> {
  const found = await ground.client.list(deployments, namespace);
  const own = found.find(({ spec }) => spec?.template.metadata?.labels?.[LABELS.version] === version);
  if (own?.spec === undefined) throw new Error(`no Deployment serves version ${version}`);
  return own.spec.template;
}

/** The same model behind the same gateway, rolled out by Argo Rollouts. */
export interface ArgoPeer {
  readonly traffic: Traffic;
  /** Rolls the faulty version out, waits until Argo has aborted, and brings the sound one back. */
  detect(run: number): Promise<Detection>;
}

export interface ArgoOptions {
  readonly stable: { readonly version: ModelVersion; readonly template: PodTemplate };
  readonly bad: { readonly version: string; readonly template: PodTemplate };
  readonly prometheusUrl: string;
  readonly perSecond: number;
}

function phase(stage: Stage, wanted: string): Promise<ArgoRollout> {
  const isIt = ({ metadata, status }: ArgoRollout): boolean =>
    status?.phase === wanted && status.observedGeneration === String(metadata.generation);
  const options = { what: `the Rollout of Argo to be ${wanted}`, timeoutMs: WAIT_MS };
  return awaitObject(stage.ground.client, argoRollouts, keyIn(stage, NAME), isIt, options);
}

export async function openArgo(stage: Stage, options: ArgoOptions): Promise<ArgoPeer> {
  const { stable, bad, prometheusUrl, perSecond } = options;
  const { client } = stage.ground;
  const { namespace } = stage;
  const roll = (template: PodTemplate, run: number) =>
    client.apply(argoRollouts, argoRollout(namespace, NAME, asPeer(template, run)), AS);
  await client.apply(services, argoService(namespace, NAME) as never, AS);
  await client.apply(httpRoutes, argoRoute(namespace, NAME) as never, AS);
  await client.apply(analysisTemplates, errorAnalysis(namespace, bad.version, prometheusUrl), AS);
  await roll(stable.template, 0);
  await phase(stage, 'Healthy');
  const service = smallService(stable.version, NAME, {});
  const traffic = await openTraffic(stage, service, await flightRows(2000), perSecond);
  const detect = async (run: number): Promise<Detection> => {
    const before = traffic.answers.length;
    traffic.allow(stable.version.spec.version, bad.version);
    await roll(bad.template, run);
    await phase(stage, 'Degraded');
    await traffic.hear(5 * perSecond);
    const found = detectionIn(traffic.answers.slice(before), bad.version);
    await roll(stable.template, 0);
    await phase(stage, 'Healthy');
    return found;
  };
  return { traffic, detect };
}
