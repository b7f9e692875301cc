import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './binaries/cached.ts';
import { goCommand } from './binaries/go.ts';
import { toolNamed } from './binaries/tools.ts';
import { run } from './command.ts';
import { contentKeyOf } from './contentKey.ts';
import { cacheDirectory } from './paths.ts';
import type { Log } from './progress.ts';

const { module } = toolNamed('envoy-gateway');
const MODULE = 'github.com/envoyproxy/gateway';

/** Folder of Envoy Gateway's own chart, from the Go module that its binary is built from, with values filled in. */
export async function gatewayChart(log: Log): Promise<string> {
  const key = await contentKeyOf([join(module, 'go.mod'), join(module, 'go.sum')], ['chart']);
  return cached(join(cacheDirectory(), `envoy-gateway-chart-${key}`), async (target) => {
    const command = await goCommand(module, log);
    const go = (...args: string[]): Promise<string> => run(command, args, { cwd: module });
    await go('mod', 'download', MODULE);
    await cp(join(await go('list', '-m', '-f', '{{.Dir}}', MODULE), 'charts', 'gateway-helm'), target, {
      recursive: true,
    });
    // The module cache is read-only, and so are copies from it.
    await run('chmod', ['-R', 'u+w', target]);
    const values = await readFile(join(target, 'values.tmpl.yaml'), 'utf8');
    const filled = values.replace(/\$\{GatewayImagePullPolicy\}/, 'IfNotPresent').replace(/\$\{GatewayImage\}/, '""');
    await writeFile(join(target, 'values.yaml'), filled);
  });
}
