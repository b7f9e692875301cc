/**
 * Makes the model server an npm package, dist/slipway-server-<version>.tgz, for whoever wants it without this checkout:
 * its bundle, and by name the two packages that can't be bundled because they bring native libraries.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'dist', 'package');

const manifest = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const runtime = manifest('runtime/package.json');
const { engines, description: whole } = manifest('package.json');
const NATIVE = ['koffi', 'onnxruntime-node'];

/** npm only warns of a Node that is too old, and what then fails is some library, with its stack. */
const COMMAND = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 9)) {
  console.error('slipway-server needs Node 24.9 or newer, and this is ' + process.version + ': install it (https://nodejs.org).');
  process.exit(1);
}
await import('./server.mjs');
`;

execFileSync(process.execPath, [join(root, 'hack', 'bundle.ts'), 'package'], { stdio: 'inherit' });
writeFileSync(join(folder, 'slipway-server.mjs'), COMMAND, { mode: 0o755 });
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
copyFileSync(join(root, 'docs', 'server.md'), join(folder, 'README.md'));
writeFileSync(
  join(folder, 'package.json'),
  `${JSON.stringify(
    {
      name: 'slipway-server',
      version: runtime.version,
      description: `The model server of Slipway: ONNX models over the Open Inference Protocol. Of: ${whole}.`,
      license: runtime.license,
      type: 'module',
      bin: { 'slipway-server': 'slipway-server.mjs' },
      engines,
      dependencies: Object.fromEntries(NATIVE.map((name) => [name, runtime.dependencies[name]])),
    },
    null,
    2,
  )}\n`,
);
const packed = execFileSync('npm', ['pack', folder, '--pack-destination', join(root, 'dist'), '--silent'], {
  encoding: 'utf8',
});
console.log(join('dist', packed.trim()));
