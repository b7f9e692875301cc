import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The folder of onnxruntime-node that holds this platform's libraries; provider libraries are looked for in it too.
 * Throws where the package has none.
 */
export function libraryFolder(): string {
  const bin = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin');
  for (const abi of readdirSync(bin)) {
    const folder = join(bin, abi, process.platform, process.arch);
    if (existsSync(folder)) return folder;
  }
  throw new Error(`onnxruntime-node has no library for ${process.platform} on ${process.arch}`);
}
