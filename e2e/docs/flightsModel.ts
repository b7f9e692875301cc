import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fp32, node, value } from '@slipway/runtime/onnx/builders.ts';
import { encodeModel, type OnnxModel } from '@slipway/runtime/onnx/model.ts';

/** The model that docs/server.md asks: is a flight late, by its distance in miles and its hour of departure? */
const flights: OnnxModel = {
  name: 'flights',
  inputs: [value('features', 'FP32', [-1, 2])],
  outputs: [value('probabilities', 'FP32', [-1, 2])],
  initializers: [fp32('w', [2, 2], [0, 0.002, 0, 0.25]), fp32('b', [2], [0, -5])],
  nodes: [
    node('Gemm', ['features', 'w', 'b'], 'logits'),
    node('Softmax', ['logits'], 'probabilities', { axis: { i: 1 } }),
  ],
};

const FILES = {
  'model.onnx': encodeModel(flights),
  'labels.txt': 'on time\nlate\n',
  'signature.json': JSON.stringify({
    inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2], columns: ['distance', 'departure_hour'] }],
    outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
  }),
};

/** Writes its model directory. */
export async function writeFlights(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(folder, name), content);
}
