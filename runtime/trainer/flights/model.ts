import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import type { TensorFlow } from '../backend.ts';
import type { Parameters } from '../parameters.ts';
import { NUMERIC_FEATURES } from './features.ts';

/** Rows of the two airport tables: codes from 0 to size - 1 can be looked up. */
export interface TableSizes {
  readonly origin: number;
  readonly destination: number;
}

type ModelShape = Pick<Parameters, 'hiddenUnits' | 'embeddingSize' | 'learningRate' | 'seed'>;

/**
 * Normalised numeric features beside a learnt vector for each airport, through dense layers to one probability. Every
 * initial weight comes from the seed, so the same parameters train the same model on the same backend.
 */
export function buildModel(tf: TensorFlow, tables: TableSizes, shape: ModelShape): LayersModel {
  const numeric = tf.input({ shape: [NUMERIC_FEATURES.length], name: 'numeric' });
  const origin = tf.input({ shape: [1], name: 'origin' });
  const destination = tf.input({ shape: [1], name: 'destination' });
  const airport = (name: string, size: number, input: SymbolicTensor, seed: number) => {
    const table = tf.layers.embedding({
      name: `${name}_airport`,
      inputDim: size,
      outputDim: shape.embeddingSize,
      embeddingsInitializer: tf.initializers.randomUniform({ minval: -0.05, maxval: 0.05, seed }),
    });
    return tf.layers.flatten({ name: `${name}_vector` }).apply(table.apply(input)) as SymbolicTensor;
  };
  let last = tf.layers
    .concatenate({ name: 'features' })
    .apply([
      numeric,
      airport('origin', tables.origin, origin, shape.seed + 1),
      airport('destination', tables.destination, destination, shape.seed + 2),
    ]) as SymbolicTensor;
  const dense = (units: number, activation: 'relu' | 'sigmoid', name: string, seed: number) =>
    tf.layers.dense({ units, activation, name, kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  shape.hiddenUnits.split(',').forEach((units, index) => {
    last = dense(Number(units), 'relu', `hidden_${index + 1}`, shape.seed + 10 + index).apply(last) as SymbolicTensor;
  });
  const probability = dense(1, 'sigmoid', 'delayed', shape.seed + 3).apply(last) as SymbolicTensor;
  const model = tf.model({ inputs: [numeric, origin, destination], outputs: probability, name: 'flights' });
  model.compile({ optimizer: tf.train.adam(shape.learningRate), loss: 'binaryCrossentropy' });
  return model;
}
