import type { layers } from '@tensorflow/tfjs';
import type { GraphWriter } from './graph.ts';

type Layer = layers.Layer;

/** Translates one layer: takes the names of its inputs, adds its nodes and returns the name of its output. */
type LayerExport = (graph: GraphWriter, layer: Layer, inputs: readonly string[]) => string;

/** Activations as ONNX operators; linear needs none. */
const ACTIVATIONS: Readonly<Record<string, string | undefined>> = {
  relu: 'Relu',
  sigmoid: 'Sigmoid',
  softmax: 'Softmax',
  tanh: 'Tanh',
};

/** Every layer that can be exported, by its class name. */
const LAYER_EXPORTS: Readonly<Record<string, LayerExport>> = {
  Dense: exportDense,
  Embedding: exportEmbedding,
  Flatten: exportFlatten,
  Concatenate: exportConcatenate,
  Activation: (graph, layer, [input = '']) => exportActivation(graph, layer, input),
  // Regularises training only: at inference it passes its input on.
  Dropout: (_graph, _layer, [input = '']) => input,
};

/** Adds the layer to the graph. Throws for a layer or option that has no translation, naming the ones that do. */
export function exportLayer(graph: GraphWriter, layer: Layer, inputs: readonly string[]): string {
  const translate = LAYER_EXPORTS[layer.getClassName()];
  if (translate === undefined) {
    throw new Error(
      `layer ${layer.name} is a ${layer.getClassName()}, which has no ONNX export; use one of ${Object.keys(LAYER_EXPORTS).join(', ')}`,
    );
  }
  return translate(graph, layer, inputs);
}

function exportDense(graph: GraphWriter, layer: Layer, [input = '']: readonly string[]): string {
  const [kernel, bias] = layer.getWeights();
  if (kernel === undefined) throw new Error(`layer ${layer.name} has no weights; build the model before exporting it`);
  const weights = graph.constant(`${layer.name}/kernel`, kernel.shape, kernel.dataSync<'float32'>());
  const product = graph.apply('MatMul', [input, weights], `${layer.name}/product`);
  if (bias === undefined) return exportActivation(graph, layer, product);
  const offset = graph.constant(`${layer.name}/bias`, bias.shape, bias.dataSync<'float32'>());
  return exportActivation(graph, layer, graph.apply('Add', [product, offset], `${layer.name}/sum`));
}

function exportActivation(graph: GraphWriter, layer: Layer, input: string): string {
  const { activation: configured } = layer.getConfig();
  const activation = String(configured ?? 'linear');
  if (activation === 'linear') return input;
  const op = ACTIVATIONS[activation];
  if (op === undefined) {
    throw new Error(
      `layer ${layer.name} has activation ${activation}, which has no ONNX export; use linear, ${Object.keys(ACTIVATIONS).join(', ')}`,
    );
  }
  return graph.apply(op, [input], `${layer.name}/${activation}`);
}

/** The table is indexed by the codes themselves, so a code outside it is an error of the runtime, as in training. */
function exportEmbedding(graph: GraphWriter, layer: Layer, [codes = '']: readonly string[]): string {
  const [table] = layer.getWeights();
  if (table === undefined) throw new Error(`layer ${layer.name} has no weights; build the model before exporting it`);
  const rows = graph.constant(`${layer.name}/table`, table.shape, table.dataSync<'float32'>());
  return graph.apply('Gather', [rows, codes], `${layer.name}/rows`, { axis: { i: 0 } });
}

function exportFlatten(graph: GraphWriter, layer: Layer, [input = '']: readonly string[]): string {
  return graph.apply('Flatten', [input], `${layer.name}/flat`, { axis: { i: 1 } });
}

function exportConcatenate(graph: GraphWriter, layer: Layer, inputs: readonly string[]): string {
  const { axis } = layer.getConfig();
  return graph.apply('Concat', inputs, `${layer.name}/joined`, { axis: { i: Number(axis ?? -1) } });
}
