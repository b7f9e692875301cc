import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineSettingsSchema } from '@slipway/crds/serving';
import { expect, it } from 'vitest';
import { encodeModel } from '../../onnx/model.ts';
import { affine } from '../../test/artifacts.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { gpuCause } from './gpuFailure.ts';
import { openEngine } from './openEngine.ts';

const child = { file: new URL('../../test/engineChild.ts', import.meta.url) };

async function open(settings: object, said: string[] = []) {
  const path = join(await temporaryFolder('gpu'), 'model.onnx');
  await writeFile(path, encodeModel(affine));
  return openEngine({
    path,
    digest: '',
    settings: engineSettingsSchema.parse(settings),
    cores: 1,
    child,
    log: (sentence) => said.push(sentence),
  });
}

const GPU = { providers: ['cuda', 'cpu'] };

it.each([
  ['requireGpu', { ...GPU, requireGpu: true }],
  ['no CPU among the providers', { providers: ['cuda'] }],
  ['no CPU among the providers of the node backend', { backend: 'node', providers: ['cuda'] }],
])('a missing GPU is a sentence that says what to do, with %s', async (_, settings) => {
  await expect(open(settings)).rejects.toMatchObject({
    reason: 'ConfigurationInvalid',
    message: expect.stringMatching(
      /^The model cannot run on cuda: [^/]+ (?:is|are) not there; run the CUDA image on a node with an NVIDIA GPU, or write "providers": \["cpu"\] and "requireGpu": false\.$/,
    ),
  });
});

it.each(['ffi', 'node'])('the %s engine says that it runs on the CPU where that may be', async (backend) => {
  const said: string[] = [];
  const engine = await open({ ...GPU, backend }, said);
  expect(engine.providers).toEqual(['cpu']);
  expect(said).toEqual([expect.stringMatching(/^The model runs without cuda: [^/]+ not there\.$/)]);
  await engine.close();
});

it.each<[string, string | undefined]>([
  [
    'Failed to load library /a/b/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file',
    'libcublasLt.so.13 is not there',
  ],
  [
    'CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=pod ; file=/x/cuda_execution_provider.cc ; line=283 ; expr=cudaSetDevice(0);',
    'CUDA says "no CUDA-capable device is detected"',
  ],
  [
    'Failed to load library /a/libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open shared object file: No such file',
    'the NVIDIA driver (libcuda.so.1) is not there',
  ],
  [
    'Failed to load library /a/libonnxruntime_providers_cuda.so with error: /a/libonnxruntime_providers_cuda.so: undefined symbol: cuTensorMapEncodeTiled',
    'the NVIDIA driver is too old (it lacks cuTensorMapEncodeTiled)',
  ],
  ['This is an invalid model', undefined],
])('%s', (message, cause) => {
  expect(gpuCause(new Error(message))).toBe(cause);
});
