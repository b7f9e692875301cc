/** Where files lie, and what the pods of a gang are told of each other. */
import * as z from 'zod';

/** Beside an artifact, `<folder>.reports/<ModelVersion>/`: what was measured of it. Not part of its digest. */
export const REPORTS_SUFFIX = '.reports';

/** Where files lie, and the Secret that opens it (mounted under DIRECTORIES.credentials). */
export const placeSchema = z.object({ uri: z.string().max(1024), secret: z.string().max(253).optional() });
export type Place = z.infer<typeof placeSchema>;

/** A data set that the pods of a job are to find under DIRECTORIES.input/<name>. */
export const datasetOrderSchema = placeSchema.extend({
  name: z.string().max(63),
  digest: z.string().optional(),
});
export type DatasetOrder = z.infer<typeof datasetOrderSchema>;

/** A version that gates compare with. `as` are the words of `versus` that mean it. */
export const rivalSchema = placeSchema.extend({
  as: z.array(z.string()),
  name: z.string(),
  version: z.string(),
  digest: z.string(),
});
export type Rival = z.infer<typeof rivalSchema>;

/** Beside a data set: `<name>.manifest.json`, written last, so that one without it is fetched again. */
export const DATASET_MANIFEST_SUFFIX = '.manifest.json';
export const datasetManifestSchema = z.object({
  name: z.string().max(63),
  uri: z.string().max(1024),
  /** By the rule of artifacts. */
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  bytes: z.int().min(0),
  files: z.array(z.object({ path: z.string(), size: z.int().min(0), sha256: z.string() })),
});
export type DatasetManifest = z.infer<typeof datasetManifestSchema>;

/** Host names of an attempt's pods: `{}` stands for the rank. A thousand whole names would not fit into a variable. */
export const peersSchema = z.object({ names: z.string().max(253).includes('{}'), count: z.int().min(1).max(1000) });
export type Peers = z.infer<typeof peersSchema>;

/** How far pod 0 is with what the other pods wait for. `missing`: ranks that can't be reached yet, the first 32. */
export const gatheringSchema = z.object({
  stage: z.enum(['Preparing', 'Gathering', 'Complete']),
  missing: z.array(z.int().min(0)).max(32),
});
export type Gathering = z.infer<typeof gatheringSchema>;
