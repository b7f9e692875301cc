import * as z from 'zod';
import type { ModelRepository, ServedModel } from '../models/servedModel.ts';
import { badRequest, listed, RequestError } from '../requestError.ts';
import type { Peers } from '../sessions/peers.ts';
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

/** Who else is asked. `passedOn`: a peer asks us; it counts what nobody knows, and nobody is asked again. */
export interface Elsewhere {
  readonly peers: Pick<Peers, 'known' | 'ask'> | undefined;
  readonly passedOn: boolean;
}

/**
 * Takes late labels and says how many were right, wrong, and of no remembered request, here or at a peer. A list is
 * taken whole or, when a line of it can't be meant, not at all: half a list that is sent again would count twice.
 */
export function takeFeedback(
  repository: ModelRepository,
  body: Buffer,
  now: number,
  { peers, passedOn }: Elsewhere = { peers: undefined, passedOn: false },
): Answer | Promise<Answer> {
  const labels = jsonBody(body, labelsSchema, SHAPE);
  const judged = labels.map((label) => ({ label, model: modelOf(repository, label) }));
  const counts = { right: 0, wrong: 0, unknown: 0 };
  const unknown = judged.filter(({ label, model }) => {
    const verdict = model.evidence.label(label.id, label.label, now);
    counts[verdict] += 1;
    return verdict === 'unknown';
  });
  if (passedOn || unknown.length === 0) return jsonAnswer(counts);
  return peers?.known ? askPeers(peers, unknown, counts) : jsonAnswer(withUnknown(unknown, counts));
}

interface Judged {
  readonly label: Label;
  readonly model: ServedModel;
}
type Counts = Readonly<Record<'right' | 'wrong' | 'unknown', number>>;

/** The version is left out: a peer may serve the other one, and it is the id that tells. */
async function askPeers(peers: Pick<Peers, 'ask'>, unknown: readonly Judged[], counts: Counts): Promise<Answer> {
  const asked = unknown.map(({ label: { id, label, model } }) => ({ id, label, ...(model && { model }) }));
  const { right, wrong } = await peers.ask(JSON.stringify(asked));
  const nobodys = Math.max(0, unknown.length - right - wrong);
  return jsonAnswer(
    withUnknown(unknown.slice(unknown.length - nobodys), {
      right: counts.right + right,
      wrong: counts.wrong + wrong,
      unknown: nobodys,
    }),
  );
}

/** Which of several were found elsewhere is not known, and it matters only where one server has several models. */
function withUnknown(unknown: readonly Judged[], counts: Counts): Counts {
  for (const { model } of unknown) model.evidence.countUnknownLabels(1);
  return counts;
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
