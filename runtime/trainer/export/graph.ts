import { fp32, int64, node } from '../../onnx/builders.ts';
import type { Attribute, Initializer, Node } from '../../onnx/model.ts';

/** Collects the nodes and constants of a graph while layers are translated one after another. */
export class GraphWriter {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];

  /** Adds an operator with one output and returns the name of that output. */
  apply(op: string, inputs: readonly string[], output: string, attributes: Readonly<Record<string, Attribute>> = {}) {
    this.nodes.push(node(op, inputs, output, attributes));
    return output;
  }

  /** Adds an FP32 constant and returns its name. */
  constant(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    this.initializers.push(fp32(name, shape, values));
    return name;
  }

  /** Adds an INT64 constant, as shapes and axes are, and returns its name. */
  integers(name: string, values: readonly number[]): string {
    this.initializers.push(int64(name, [values.length], values));
    return name;
  }
}
