import * as z from 'zod';
import type { ModelRepository, ServedModel } from '../models/servedModel.ts';
import { badRequest, listed, RequestError } from '../requestError.ts';
import { jsonBody } from './jsonBody.ts';
import { type Answer, jsonAnswer } from './wire.ts';

const labelSchema = z.strictObject({
  id: z.union([z.string().min(1).max(256), z.number().transform(String)]),
  label: z.union([z.string().max(256), z.number(), z.boolean()]),
  /** Needed only where more models than one are served. */
  model: z.string().optional(),
  version: z.string().optional(),
});
type Label = z.infer<typeof labelSchema>;
const labelsSchema = z.union([z.array(labelSchema).max(100_000), labelSchema.transform((label) => [label])]);

const SHAPE = '{"id", "label"} or a list of them';

/**
 * Takes late labels and says how many were right, wrong, and of no remembered request. A list is taken whole or, when a
 * line of it can't be meant, not at all: half a list that is sent again would count twice.
 */
export function takeFeedback(repository: ModelRepository, body: Buffer, now: number): Answer {
  const labels = jsonBody(body, labelsSchema, SHAPE);
  const judged = labels.map((label) => ({ label, model: modelOf(repository, label) }));
  const counts = { right: 0, wrong: 0, unknown: 0 };
  for (const { label, model } of judged) counts[model.evidence.label(label.id, label.label, now)] += 1;
  return jsonAnswer(counts);
}

function modelOf(repository: ModelRepository, { model, version }: Label): ServedModel {
  const names = repository.names();
  if (names.length === 0) throw new RequestError(503, 'No model is loaded yet.', { 'retry-after': '1' });
  const name = model ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) throw badRequest(`Say by "model" which one the label is for: ${listed(names)}.`);
  const found = repository.find(name, version);
  if (found) return found;
  throw badRequest(`There is no model "${name}"${version === undefined ? '' : ` of version "${version}"`} to label.`);
}
