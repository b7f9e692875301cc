import type { Normalisation } from '../export/exportModel.ts';

/** Mean and standard deviation of each column of a row-major table; a constant column divides by one. */
export function normalisationOf(values: Float32Array, width: number): Normalisation {
  const rows = values.length / width;
  const columns = Array.from({ length: width }, (_, column) => column);
  const sumOf = (term: (row: number) => number) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += term(row);
    return sum;
  };
  const at = (row: number, column: number) => values[row * width + column] ?? 0;
  const mean = columns.map((column) => Math.fround(sumOf((row) => at(row, column)) / rows));
  const deviation = columns.map((column) => {
    const centre = mean[column] ?? 0;
    const variance = sumOf((row) => (at(row, column) - centre) ** 2) / rows;
    return Math.fround(Math.sqrt(variance)) || 1;
  });
  return { mean, deviation };
}

/** (x − mean) / deviation in 32-bit arithmetic, as the exported graph computes it. */
export function normalised(values: Float32Array, { mean, deviation }: Normalisation): Float32Array {
  const width = mean.length;
  return values.map((x, i) => Math.fround(x - (mean[i % width] ?? 0)) / (deviation[i % width] ?? 1));
}
