import type { Signature } from '@slipway/crds/contract';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import type { ElementType } from '../../onnx/elementTypes.ts';
import { encodeModel, type OnnxModel } from '../../onnx/model.ts';
import { GraphWriter } from './graph.ts';
import { exportLayer } from './layers.ts';

/** What is subtracted from and divides a raw input, column by column, before the first layer sees it. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export interface ExportOptions {
  readonly name: string;
  /** One input per model input and one output per model output, in the model's order; the names clients see. */
  readonly signature: Signature;
  /** By input name. Folded into the graph, so that a client sends raw values and cannot normalise them otherwise. */
  readonly normalisation?: Readonly<Record<string, Normalisation>>;
}

/** Translates a trained model to ONNX bytes. Throws when a layer has no translation. */
export function exportModel(model: LayersModel, options: ExportOptions): Uint8Array {
  return encodeModel(onnxModelOf(model, options));
}

function onnxModelOf(model: LayersModel, { name, signature, normalisation = {} }: ExportOptions): OnnxModel {
  const graph = new GraphWriter();
  const values = new Map<string, string>();
  model.inputs.forEach((input, index) => {
    const tensor = signature.inputs[index];
    if (tensor === undefined) throw new Error(`input ${input.name} of the model has no tensor in the signature`);
    values.set(input.name, normalise(graph, tensor.name, normalisation[tensor.name]));
  });
  model.outputs.forEach((output, index) => {
    const tensor = signature.outputs[index];
    if (tensor === undefined) throw new Error(`output ${output.name} of the model has no tensor in the signature`);
    graph.apply('Identity', [exportTensor(graph, output, values)], tensor.name);
  });
  const graphValue = (tensor: Signature['inputs'][number]) => ({
    name: tensor.name,
    type: tensor.datatype satisfies ElementType,
    shape: tensor.shape,
  });
  return {
    name,
    inputs: signature.inputs.map(graphValue),
    outputs: signature.outputs.map(graphValue),
    initializers: graph.initializers,
    nodes: graph.nodes,
  };
}

function normalise(graph: GraphWriter, input: string, normalisation: Normalisation | undefined): string {
  if (normalisation === undefined) return input;
  const { mean, deviation } = normalisation;
  const centre = graph.constant(`${input}/mean`, [1, mean.length], mean);
  const scale = graph.constant(`${input}/deviation`, [1, deviation.length], deviation);
  return graph.apply('Div', [graph.apply('Sub', [input, centre], `${input}/centred`), scale], `${input}/normalised`);
}

/** Walks back from an output, so that layers come out in the topological order that ONNX asks for. */
function exportTensor(graph: GraphWriter, tensor: SymbolicTensor, values: Map<string, string>): string {
  const known = values.get(tensor.name);
  if (known !== undefined) return known;
  const inputs = tensor.inputs.map((input) => exportTensor(graph, input, values));
  const value = exportLayer(graph, tensor.sourceLayer, inputs);
  values.set(tensor.name, value);
  return value;
}
