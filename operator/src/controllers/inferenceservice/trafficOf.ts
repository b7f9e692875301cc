import { pods, services } from '../../api/builtin.ts';
import { endpointSlices } from '../../api/endpointSlices.ts';
import { gatewayClasses, gateways, httpRoutes } from '../../api/gateway.ts';
import type { InferenceService } from '../../api/kinds.ts';
import type { OperatorConfig } from '../../config.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import { keyOf, keyText, type Resource } from '../../kube/resource.ts';
import type { KubeObject, Stored } from '../../kube/wire.ts';
import { TrafficByService } from '../../traffic/byService.ts';
import { GatewayApiTraffic } from '../../traffic/gatewayApi.ts';
import type { TrafficProvider } from '../../traffic/provider.ts';
import { ReplicasTraffic } from '../../traffic/replicas.ts';
import { BY_SERVICE } from './sources.ts';

/** Both providers, and each service its own. */
export function trafficOf(context: ControllerContext, config: OperatorConfig, fieldManager: string): TrafficProvider {
  const { client, store, now } = context;
  const { defaultGateway, watchNamespaces } = config;
  const of =
    <T extends KubeObject>(resource: Resource<T>) =>
    (infs: Stored<InferenceService>) =>
      store(resource).by(BY_SERVICE, keyText(keyOf(infs)));
  return new TrafficByService({
    gateway: new GatewayApiTraffic({
      client,
      routes: store(httpRoutes),
      gateways: store(gateways),
      classes: store(gatewayClasses),
      defaultGateway,
      watchNamespaces,
      fieldManager,
    }),
    replicas: new ReplicasTraffic({
      client,
      services: store(services),
      podsOf: of(pods),
      slicesOf: of(endpointSlices),
      fieldManager,
    }),
    now,
    wake: (service, afterMs) => context.enqueue(service, afterMs),
  });
}
