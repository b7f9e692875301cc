import { ELEMENT_TYPES, type ElementType } from './elementTypes.ts';
import { modelProto } from './schema.ts';

/** AttributeProto.AttributeType of the ONNX specification. */
const ATTRIBUTE_TYPES = { f: 1, i: 2, s: 3, floats: 6, ints: 7 } as const;

export type Attribute =
  | { readonly f: number }
  | { readonly i: number }
  | { readonly s: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] };

/** One operator of the default domain. Inputs and outputs are value names; they connect the graph. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A constant of the graph, row major. INT64 values are bigint so that none is rounded. */
export type Initializer =
  | { readonly name: string; readonly type: 'FP32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | {
      readonly name: string;
      readonly type: 'INT64';
      readonly shape: readonly number[];
      readonly values: BigInt64Array;
    };

/** A tensor that crosses the border of the graph. A dimension of -1 is the caller's to choose: the batch. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A graph in the default operator set. Nodes stand in topological order, as ONNX demands. */
export interface OnnxModel {
  readonly name: string;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly Node[];
  /** Default 17: the oldest set with every operator that we write, so that old runtimes load it too. */
  readonly opset?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** IR version 8 belongs to opset 15–18 and is read by every ONNX Runtime since 1.10. */
const IR_VERSION = 8;
const DEFAULT_OPSET = 17;

const bytesOf = (view: Float32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

const attributeProto = (name: string, attribute: Attribute) => {
  const [[kind, value]] = Object.entries(attribute) as [[keyof typeof ATTRIBUTE_TYPES, unknown]];
  const encoded = kind === 's' ? Buffer.from(value as string) : value;
  return { name, type: ATTRIBUTE_TYPES[kind], [kind]: encoded };
};

const nodeProto = (node: Node) => ({
  name: node.outputs[0],
  opType: node.op,
  input: node.inputs,
  output: node.outputs,
  attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => attributeProto(name, value)),
});

const tensorProto = ({ name, type, shape, values }: Initializer) => {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (size !== values.length) {
    throw new Error(`initializer ${name}: shape [${shape}] holds ${size} values, not ${values.length}`);
  }
  return { name, dims: shape, dataType: ELEMENT_TYPES[type], rawData: bytesOf(values) };
};

const valueInfoProto = ({ name, type, shape }: GraphValue) => ({
  name,
  type: {
    tensorType: {
      elemType: ELEMENT_TYPES[type],
      shape: { dim: shape.map((size) => (size < 0 ? { dimParam: 'batch' } : { dimValue: size })) },
    },
  },
});

/**
 * Encodes a graph as the bytes of a .onnx file. The same graph gives the same bytes, so a digest over them names the
 * model. Throws when an initializer's shape and values disagree; other faults are found by the runtime that loads it.
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  return modelProto
    .encode({
      irVersion: IR_VERSION,
      producerName: 'slipway',
      opsetImport: [{ domain: '', version: model.opset ?? DEFAULT_OPSET }],
      metadataProps: Object.entries(model.metadata ?? {}).map(([key, value]) => ({ key, value })),
      graph: {
        name: model.name,
        node: model.nodes.map(nodeProto),
        initializer: model.initializers.map(tensorProto),
        input: model.inputs.map(valueInfoProto),
        output: model.outputs.map(valueInfoProto),
      },
    })
    .finish();
}
