import { parse } from 'yaml';
import * as z from 'zod';
import type { Found } from './reported.ts';

const metricSchema = z.looseObject({
  type: z.string().optional(),
  name: z.string().optional(),
  value: z.union([z.number(), z.string()]),
});
const indexSchema = z.array(
  z.looseObject({
    results: z.array(
      z.looseObject({
        dataset: z.looseObject({ name: z.string().optional(), split: z.string().nullish() }).optional(),
        metrics: z.array(metricSchema).default([]),
      }),
    ),
  }),
);

const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---/;

/** The YAML between the first two lines of dashes of a Markdown file; undefined without one that can be read. */
export function frontMatterOf(markdown: string): unknown {
  const text = FRONT_MATTER.exec(markdown)?.[1];
  if (text === undefined) return undefined;
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

/** The model-index of a Hugging Face card, or the list alone. */
export function modelIndexOf(document: unknown): unknown {
  if (Array.isArray(document)) return document.some((one) => one?.results !== undefined) ? document : undefined;
  return (document as Readonly<Record<string, unknown>> | null | undefined)?.['model-index'];
}

/** Numbers of a model-index (huggingface/hub-docs modelcard.md): named by type, and by name where that differs. */
export function fromModelIndex(index: unknown): readonly Found[] {
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) return [];
  return parsed.data.flatMap(({ results }) =>
    results.flatMap(({ dataset, metrics }) =>
      metrics.flatMap(({ type, name, value }) => {
        const asNumber = typeof value === 'number' ? value : Number.parseFloat(value);
        if (!Number.isFinite(asNumber)) return [];
        const names = [...new Set([type, name].filter((one) => one !== undefined))];
        const on = [dataset?.name, dataset?.split].filter((one) => one).join(' ');
        return names.map((one) => ({ name: one, value: asNumber, ...(on === '' ? {} : { dataset: on }) }));
      }),
    ),
  );
}
