import type { Ground } from './ground.ts';

const NAMESPACE = 'envoy-gateway-system';
const CONTROLLER = 'deployment/envoy-gateway';

/** Takes away what programs the gateway. The gateway itself goes on with what it knows. */
export async function stopGatewayController({ kubectl }: Ground): Promise<void> {
  await kubectl('-n', NAMESPACE, 'scale', CONTROLLER, '--replicas=0');
  await kubectl('-n', NAMESPACE, 'delete', 'pods', '-l', 'control-plane=envoy-gateway', '--grace-period=0', '--force');
}

export async function startGatewayController({ kubectl }: Ground): Promise<void> {
  await kubectl('-n', NAMESPACE, 'scale', CONTROLLER, '--replicas=1');
  await kubectl('-n', NAMESPACE, 'rollout', 'status', CONTROLLER, '--timeout=90s');
}
