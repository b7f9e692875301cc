import { chmod, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');

/** Programs by the folder they are bundled into; an image holds one folder. */
const BUNDLES: Readonly<
  Record<string, { readonly folder: string; readonly entries: Readonly<Record<string, string>> }>
> = {
  operator: { folder: 'dist/operator', entries: { operator: 'operator/src/main.ts' } },
  server: {
    folder: 'dist/server',
    entries: {
      server: 'runtime/server/main.ts',
      watcher: 'runtime/server/observe/thread/entry.ts',
      parser: 'runtime/server/protocol/parser/entry.ts',
      evaluator: 'runtime/evaluator/main.ts',
      agent: 'runtime/agent/main.ts',
      prepare: 'runtime/prepare/main.ts',
    },
  },
  // What hack/package.ts makes an npm package of: the model server alone.
  package: {
    folder: 'dist/package',
    entries: {
      server: 'runtime/server/main.ts',
      watcher: 'runtime/server/observe/thread/entry.ts',
      parser: 'runtime/server/protocol/parser/entry.ts',
    },
  },
  trainer: { folder: 'dist/trainer', entries: { train: 'runtime/trainer/main.ts' } },
  cli: { folder: 'bin', entries: { 'kubectl-slipway': 'operator/cli/main.ts' } },
};

/** Bundled where it is asked for, and not by every build. */
const SELDOM: readonly string[] = ['package'];
const SERVERS: readonly string[] = ['server', 'package'];

/** Native libraries can't be bundled, and the index of vega-datasets is only asked where it lies. */
const EXTERNAL = ['onnxruntime-node', 'koffi', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu', 'vega-datasets'];

/** Packages written for CommonJS call `require`, which a module does not have. */
const REQUIRE =
  "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);";

/**
 * A command is run by whatever Node comes first on the PATH. One that is too old hands over to the Node that made the
 * bundle, or says what to install; left alone it would end in a stack trace of some library.
 */
const NEWER_NODE = `import { spawnSync as runNewer } from 'node:child_process';
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 9)) {
  const { status, error } = runNewer(${JSON.stringify(process.execPath)}, process.argv.slice(1), { stdio: 'inherit' });
  if (error) console.error('kubectl slipway needs Node 24.9 or newer, and this is ' + process.version + ': install it (https://nodejs.org).');
  process.exit(status ?? 1);
}`;

async function bundle(name: string): Promise<void> {
  const chosen = BUNDLES[name];
  if (!chosen) throw new Error(`There is no bundle ${name}: choose from ${Object.keys(BUNDLES).join(', ')}.`);
  const isCommand = name === 'cli';
  const outdir = join(root, chosen.folder);
  if (!isCommand) await rm(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { ...chosen.entries },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // A part that is imported on demand stays apart: the server's main thread must not load what only its workers use.
    splitting: !isCommand,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Names are kept by a call for each function that is made, and the server makes some with each request.
    keepNames: !SERVERS.includes(name),
    legalComments: 'none',
    logLevel: 'warning',
    external: EXTERNAL,
    banner: { js: isCommand ? `#!/usr/bin/env node\n${NEWER_NODE}\n${REQUIRE}` : REQUIRE },
  });
  if (isCommand) for (const entry of Object.keys(chosen.entries)) await makeCommand(join(outdir, entry));
}

/** A command is typed without an extension, which esbuild can't leave out. */
async function makeCommand(path: string): Promise<void> {
  await rename(`${path}.mjs`, path);
  await chmod(path, 0o755);
}

const asked = process.argv.slice(2);
try {
  const usual = Object.keys(BUNDLES).filter((name) => !SELDOM.includes(name));
  for (const name of asked.length > 0 ? asked : usual) await bundle(name);
} catch (error) {
  process.stderr.write(`hack/bundle.ts: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
