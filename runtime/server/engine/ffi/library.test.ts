import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineSettingsSchema } from '@slipway/crds/serving';
import { expect, it } from 'vitest';
import { encodeModel } from '../../../onnx/model.ts';
import { affine } from '../../../test/artifacts.ts';
import { temporaryFolder } from '../../../test/temporaryFolder.ts';
import { openLibrary } from './library.ts';

it('loads the library once, of the version that the package has', () => {
  const library = openLibrary();
  expect(library.version).toBe('1.30.0');
  expect(openLibrary()).toBe(library);
});

it('opens and runs a model without a word to anybody', async () => {
  // ONNX Runtime keeps its device id and unsent events under the home folder; an empty one means that it made neither.
  const home = await temporaryFolder('home');
  const path = join(await temporaryFolder('quiet'), 'model.onnx');
  await writeFile(path, encodeModel(affine));
  const options = { path, digest: '', settings: engineSettingsSchema.parse({}), cores: 1 };
  const program = `
    const { openFfi } = await import(${JSON.stringify(new URL('./openFfi.ts', import.meta.url).href)});
    const engine = await openFfi(${JSON.stringify(options)});
    const x = { name: 'x', datatype: 'FP32', shape: [1, 2], elements: Float32Array.of(1, 0) };
    const [y] = await engine.run([x], ['y']);
    await engine.close();
    process.exitCode = y.elements[0] === 2.5 ? 0 : 1;`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { HOME: home, ORT_DISABLE_TELEMETRY: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await readdir(home, { recursive: true })).toEqual([]);
});
