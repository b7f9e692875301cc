import { fp32, int64, node } from '@slipway/runtime/onnx/builders.ts';
import { encodeModel, type Initializer, type Node } from '@slipway/runtime/onnx/model.ts';
import { modelProto } from '@slipway/runtime/onnx/schema.ts';

/**
 * What a faulty version of a model does, for tests of what notices it. Rows are chosen by their own values, so that a
 * fault is the same in a batch and alone. failing: ONNX Runtime refuses rows whose distance ends in a digit below
 * 10 × share. slow: each run multiplies 256×256 matrices so many times before it answers. swapped: probabilities of
 * flights at a weekend are turned round. notANumber: flights that leave at or after an hour get NaN. shifted: every
 * probability is its square root. inverted: every probability is turned round.
 */
export type Fault =
  | { readonly kind: 'failing'; readonly share: number }
  | { readonly kind: 'slow'; readonly products: number }
  | { readonly kind: 'notANumber'; readonly fromHour: number }
  | { readonly kind: 'swapped' | 'shifted' | 'inverted' };

interface Tail {
  readonly nodes: readonly Node[];
  readonly constants: readonly Initializer[];
}

const OUTPUT = 'probability';
const SOUND = 'probability/sound';
const [HOUR, DAY, DISTANCE] = [0, 1, 3];
const WIDTH = 256;

/** The column of the numeric tensor, as [batch, 1]. */
const column = (index: number, name: string): Tail => ({
  constants: [int64(`${name}/index`, [1], [index])],
  nodes: [node('Gather', ['numeric', `${name}/index`], name, { axis: { i: 1 } })],
});

const turnedRound: Tail = {
  constants: [fp32('one', [1, 1], [1])],
  nodes: [node('Sub', ['one', SOUND], 'turned')],
};

/** Gather refuses an index beyond its table, as it does for an airport that a model has never seen. */
function failing(share: number): Tail {
  const distance = column(DISTANCE, 'distance');
  const good = 10 - Math.round(10 * share);
  return {
    constants: [...distance.constants, int64('ten', [1, 1], [10]), fp32('table', [good], new Float32Array(good))],
    nodes: [
      ...distance.nodes,
      node('Cast', ['distance'], 'whole', { to: { i: 7 } }),
      node('Mod', ['whole', 'ten'], 'digit'),
      node('Gather', ['table', 'digit'], 'nothing'),
      node('Add', [SOUND, 'nothing'], OUTPUT),
    ],
  };
}

/** The first matrix depends on the request, or the optimiser would do the work once and for all. */
function slow(products: number): Tail {
  const start = [
    node('ReduceMean', ['numeric'], 'mean', { keepdims: { i: 0 } }),
    node('Mul', ['mean', 'small'], 'seed'),
    node('Add', ['weights', 'seed'], 'work/0'),
  ];
  const chain = Array.from({ length: products }, (_, i) => node('MatMul', [`work/${i}`, 'weights'], `work/${i + 1}`));
  return {
    constants: [
      fp32('small', [1], [1e-9]),
      fp32('zero', [1], [0]),
      fp32('weights', [WIDTH, WIDTH], new Float32Array(WIDTH * WIDTH).fill(1 / WIDTH)),
    ],
    nodes: [
      ...start,
      ...chain,
      node('ReduceMean', [`work/${products}`], 'worked', { keepdims: { i: 0 } }),
      node('Mul', ['worked', 'zero'], 'nothing'),
      node('Add', [SOUND, 'nothing'], OUTPUT),
    ],
  };
}

/** 0 is Sunday and 6 Saturday: |day − 3| is above 2.5 for these two only. */
function swapped(): Tail {
  const day = column(DAY, 'day');
  return {
    constants: [...day.constants, ...turnedRound.constants, fp32('middle', [1, 1], [3]), fp32('edge', [1, 1], [2.5])],
    nodes: [
      ...day.nodes,
      ...turnedRound.nodes,
      node('Sub', ['day', 'middle'], 'off'),
      node('Abs', ['off'], 'far'),
      node('Greater', ['far', 'edge'], 'weekend'),
      node('Where', ['weekend', 'turned', SOUND], OUTPUT),
    ],
  };
}

function notANumber(fromHour: number): Tail {
  const hour = column(HOUR, 'hour');
  return {
    constants: [...hour.constants, fp32('late', [1, 1], [fromHour - 0.5]), fp32('nan', [1, 1], [Number.NaN])],
    nodes: [
      ...hour.nodes,
      node('Greater', ['hour', 'late'], 'isLate'),
      node('Where', ['isLate', 'nan', SOUND], OUTPUT),
    ],
  };
}

function tailOf(fault: Fault): Tail {
  switch (fault.kind) {
    case 'failing':
      return failing(fault.share);
    case 'slow':
      return slow(fault.products);
    case 'notANumber':
      return notANumber(fault.fromHour);
    case 'swapped':
      return swapped();
    case 'shifted':
      return { constants: [], nodes: [node('Sqrt', [SOUND], OUTPUT)] };
    case 'inverted':
      return { ...turnedRound, nodes: [...turnedRound.nodes, node('Identity', ['turned'], OUTPUT)] };
  }
}

interface GraphProto {
  node: { name: string; output: string[] }[];
  initializer: unknown[];
}

/** The tail as the specification's messages: encoded as a model of its own and read back. */
const protoOf = ({ nodes, constants }: Tail): GraphProto => {
  const bytes = encodeModel({ name: 'tail', inputs: [], outputs: [], nodes, initializers: constants });
  return (modelProto.decode(bytes) as unknown as { graph: GraphProto }).graph;
};

/** The same model with a fault at its end: name, signature and every learned weight stay. */
export function withFault(model: Uint8Array, fault: Fault): Uint8Array {
  const whole = modelProto.decode(model) as unknown as { graph: GraphProto };
  const tail = protoOf(tailOf(fault));
  for (const each of whole.graph.node) {
    if (each.name === OUTPUT) each.name = SOUND;
    const at = each.output.indexOf(OUTPUT);
    if (at >= 0) each.output[at] = SOUND;
  }
  whole.graph.node.push(...tail.node);
  whole.graph.initializer.push(...tail.initializer);
  return modelProto.encode(whole as never).finish();
}
