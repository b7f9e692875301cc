import type { Lease } from '../../batching/scheduler.ts';
import type { ServedModel } from '../../models/servedModel.ts';
import { badRequest, RequestError } from '../../requestError.ts';
import type { TensorValue } from '../../tensor.ts';
import type { InferContext, Pending } from '../infer.ts';
import { isObject, parametersOf } from '../inferPlan.ts';
import { type Put, putterOf, takes } from '../json/datatypes.ts';
import { brief } from '../json/values.ts';
import { orderOf } from '../order.ts';
import { named, quoted } from '../sentences.ts';
import { MAX_ELEMENTS, openLease } from '../tensorHeader.ts';
import { type Column, columnsOf } from './columns.ts';
import { nearest } from './nearest.ts';
import { answerRows } from './report.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const FIELDS: readonly string[] = ['rows', 'probabilities', 'raw', 'id', 'parameters'];

/**
 * An inference request of rows by feature name: {"rows": [{"distance": 500, …}], "probabilities"?, "raw"?, "id"?}. A row
 * must have every feature of the model and nothing else. Throws RequestError 422 naming row and feature.
 */
export function inferRows(json: JsonObject, model: ServedModel, context: InferContext): Pending {
  const unknown = Object.keys(json).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined)
    throw badRequest(`A request of rows has no field ${quoted(unknown)}; it has ${named(FIELDS)}.`);
  const { id, rows } = json;
  if (id !== undefined && typeof id !== 'string') throw badRequest('id must be a string.');
  const asked = { probabilities: truthOf(json, 'probabilities'), raw: truthOf(json, 'raw') };
  const columns = columnsOf(model);
  if (typeof columns === 'string') throw badRequest(columns);
  const objects = objectsOf(rows);
  const { now, headers, limits } = context;
  const parameters = parametersOf(json['parameters'], 'the request');
  const order = orderOf(parameters, undefined, model, now, headers, limits?.requestTimeoutMs);
  for (const [i, row] of objects.entries()) checkNames(row, i, columns);
  const tensors = model.signature.inputs.map(({ name, datatype, shape }) => ({
    name,
    datatype,
    shape: [objects.length, ...shape.slice(1)],
  }));
  const { lease } = openLease(tensors, model, limits?.maxElements ?? MAX_ELEMENTS, order);
  try {
    fill(lease, objects, columns);
  } catch (error) {
    lease.release();
    throw error;
  }
  return { lease, order, id, answer: ({ outputs }) => answerRows(model, id, outputs, objects.length, asked) };
}

function truthOf(json: JsonObject, field: string): boolean {
  const value = json[field] ?? false;
  if (typeof value !== 'boolean') throw badRequest(`"${field}" must be true or false.`);
  return value;
}

function objectsOf(rows: unknown): readonly JsonObject[] {
  if (!Array.isArray(rows) || rows.length === 0) throw badRequest('"rows" must be a list of at least one object.');
  const other = rows.findIndex((row) => !isObject(row));
  if (other >= 0)
    throw new RequestError(422, `Row ${other} is ${brief(rows[other])}, it must be an object of features.`);
  return rows as readonly JsonObject[];
}

function checkNames(row: JsonObject, index: number, columns: ReadonlyMap<string, Column>): void {
  for (const name in row) {
    if (columns.has(name)) continue;
    const missing = [...columns.keys()].filter((column) => !Object.hasOwn(row, column));
    throw new RequestError(422, `Row ${index}: the model has no feature ${quoted(name)}${nearest(name, missing)}.`);
  }
  for (const name of columns.keys()) {
    if (!Object.hasOwn(row, name)) throw new RequestError(422, `Row ${index}: feature ${quoted(name)} is missing.`);
  }
}

function fill({ inputs }: Lease, rows: readonly JsonObject[], columns: ReadonlyMap<string, Column>): void {
  const puts: readonly Put[] = inputs.map(putterOf);
  for (const { name, input, index } of columns.values()) {
    const { datatype, elements } = inputs[input] as TensorValue;
    const put = puts[input] as Put;
    const width = elements.length / rows.length;
    for (let i = 0; i < rows.length; i++) {
      const value = rows[i]?.[name];
      if (put(value, i * width + index)) continue;
      throw new RequestError(
        422,
        `Row ${i}: feature ${quoted(name)} is ${brief(value)}, ${datatype} takes ${takes(datatype)}.`,
      );
    }
  }
}
