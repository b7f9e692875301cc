import type tfjs from '@tensorflow/tfjs';

/** Where the pure CPU backend keeps the values of its tensors. */
interface CpuStorage {
  readonly data: { get(id: object): { readonly values: ArrayLike<number> } };
  makeTensorInfo(shape: number[], dtype: tfjs.DataType, values: Float32Array): tfjs.TensorInfo;
}

interface SegmentSumArguments {
  readonly inputs: { readonly x: tfjs.TensorInfo; readonly segmentIds: tfjs.TensorInfo };
  readonly backend: CpuStorage;
  readonly attrs: { readonly numSegments: number };
}

const KERNEL = 'UnsortedSegmentSum';

/**
 * Replaces the segment sum of the pure CPU backend, which is the gradient of an embedding. The original walks the
 * whole batch once per row of the table; with 300 airports that is nearly all of the training time. This one adds each
 * row of the batch where it belongs, in one pass.
 */
export function installScatterAdd(tf: typeof tfjs): void {
  tf.unregisterKernel(KERNEL, 'cpu');
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'cpu',
    kernelFunc: (call) => segmentSum(call as unknown as SegmentSumArguments),
  });
}

function segmentSum({ inputs: { x, segmentIds }, backend, attrs: { numSegments } }: SegmentSumArguments) {
  const rowShape = x.shape.slice(segmentIds.shape.length);
  const width = rowShape.reduce((product, size) => product * size, 1);
  const values = backend.data.get(x.dataId).values;
  const segments = backend.data.get(segmentIds.dataId).values;
  const sums = new Float32Array(numSegments * width);
  for (let row = 0; row < segments.length; row++) {
    const target = (segments[row] ?? -1) * width;
    // As in TensorFlow, an id outside the table adds to nothing.
    if (target < 0 || target >= sums.length) continue;
    for (let i = 0; i < width; i++) sums[target + i] = (sums[target + i] ?? 0) + (values[row * width + i] ?? 0);
  }
  return backend.makeTensorInfo([numSegments, ...rowShape], x.dtype, sums);
}
