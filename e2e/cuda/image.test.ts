import { run } from '@slipway/hack/local-cluster/command.ts';
import { recipeOf } from '@slipway/hack/local-cluster/images/catalog.ts';
import { encodeModel } from '@slipway/runtime/onnx/model.ts';
import { affine } from '@slipway/runtime/test/artifacts.ts';
import { getContainerRuntimeClient } from 'testcontainers';
import { expect, test } from 'vitest';
import { modelFolder, ServerContainer } from '../container/server.ts';
import { blocksOf, serverPage } from '../docs/page.ts';

const { image } = recipeOf('runtime-cuda');
const LIBRARIES = '/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64';
const NO_DRIVER = 'the NVIDIA driver (libcuda.so.1) is not there';
const ROW = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 1] }] });

const asking = (engine: object) => ({ image, environment: { SLIPWAY_SETTINGS: JSON.stringify({ engine }) } });
const affineFolder = () => modelFolder({ 'affine/model.onnx': encodeModel(affine) });

test.for([
  { engine: { backend: 'ffi', providers: ['cuda', 'cpu'], requireGpu: true }, cause: NO_DRIVER },
  { engine: { backend: 'node', providers: ['cuda'] }, cause: 'its libraries or the NVIDIA driver are not there' },
])(
  'without the GPU that it needs it ends with one sentence, by the backend $engine.backend',
  async ({ engine, cause }) => {
    const server = await ServerContainer.refusing(await affineFolder(), asking(engine));
    expect(await server.exitCode()).toBe(1);
    const complaints = server.log.filter(({ level }) => Number(level) >= 40);
    const msg =
      `The model cannot run on cuda: ${cause}; run the CUDA image on a node with an NVIDIA GPU, or write ` +
      '"providers": ["cpu"] and "requireGpu": false.';
    expect(complaints).toEqual([expect.objectContaining({ level: 60, msg })]);
    expect(complaints[0]).not.toHaveProperty('stack');
  },
);

test('without a GPU that it would like it serves on the CPU, says so once, and its metrics tell it', async () => {
  const server = await ServerContainer.serving(await affineFolder(), asking({ providers: ['cuda', 'cpu'] }));
  const answer = await fetch(server.url('rest', '/v2/models/affine/infer'), { method: 'POST', body: ROW });
  expect(await answer.json()).toMatchObject({ outputs: [{ name: 'y', data: [-0.5] }] });
  const warnings = server.log.filter(({ msg }) => String(msg).includes('cuda'));
  expect(warnings).toEqual([expect.objectContaining({ level: 40, msg: `The model runs without cuda: ${NO_DRIVER}.` })]);
  const metrics = await (await fetch(server.url('admin', '/metrics'))).text();
  expect(metrics).toContain('slipway_engine_info{model="affine",version="1",backend="ffi",provider="cpu"} 1');
  const written = await server.inside('touch /app/x; grep -E "^(Uid|CapEff)" /proc/1/status');
  expect(written.output).toMatch(/Read-only file system.*Uid:\s+65532\s+65532\s+65532\s+65532\s+CapEff:\s+0{16}/s);
});

test('its libraries lack nothing but the driver, which is of the node', async () => {
  const server = await ServerContainer.serving(await affineFolder(), { image });
  const { output } = await server.inside(`cd ${LIBRARIES} && ls && ldd libonnxruntime_providers_cuda.so`);
  expect(output).toContain('libonnxruntime_providers_shared.so');
  expect(output.match(/^.*not found$/gm)).toEqual([expect.stringContaining('libcuda.so.1')]);
  const cudnn = await server.inside(
    'for i in /usr/local/cuda/lib64/*.so*; do ldd $i; done | grep "not found" | sort -u',
  );
  expect(cudnn.output.split('\n').filter((line) => line !== '' && !line.includes('libcuda.so.1'))).toEqual([]);
  const { container } = await getContainerRuntimeClient();
  const { Size } = await container.dockerode.getImage(image).inspect();
  console.log(`${image}: ${(Size / 1e9).toFixed(2)} GB`);
  expect(Size).toBeLessThan(4e9);
});

test("the page's docker run, without its GPU, says what is missing", async () => {
  const [command] = blocksOf(await serverPage()).filter(({ use }) => use === 'gpu');
  const folder = await modelFolder({ 'flights/model.onnx': encodeModel(affine) });
  const script = (command?.text ?? '').replace('--gpus all ', '').replace('-p 8080:8080', '-p 127.0.0.1::8080');
  const said = await run('bash', ['-c', `${script.trim()} || echo "exit code $?"`], { cwd: folder });
  expect(said).toContain(`The model cannot run on cuda: ${NO_DRIVER}; run the CUDA image on a node with an NVIDIA GPU`);
  expect(said).toMatch(/exit code 1$/);
});
