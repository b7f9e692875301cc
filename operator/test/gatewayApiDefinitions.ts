import { join } from 'node:path';
import { accessOf } from '@slipway/hack/local-cluster/api.ts';
import { goCommand } from '@slipway/hack/local-cluster/binaries/go.ts';
import { toolNamed } from '@slipway/hack/local-cluster/binaries/tools.ts';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { installDefinitions } from '@slipway/hack/local-cluster/customResources.ts';

const MODULE = 'sigs.k8s.io/gateway-api';

/** Installs the Gateway API's own CRDs, from the Go module that the local cluster's gateway is built with. */
export async function installGatewayApi(kubeconfig: string): Promise<void> {
  const { module } = toolNamed('envoy-gateway');
  const command = await goCommand(module, console.error);
  const go = (...args: string[]): Promise<string> => run(command, args, { cwd: module });
  await go('mod', 'download', MODULE);
  const folder = await go('list', '-m', '-f', '{{.Dir}}', MODULE);
  await installDefinitions(accessOf(kubeconfig), join(folder, 'config', 'crd', 'standard'));
}
