import * as z from 'zod';

const resource = z
  .strictObject({
    name: z.string().optional(),
    uri: z.string().optional(),
    digest: z.partialRecord(z.enum(['sha256', 'gitCommit']), z.string().regex(/^[0-9a-f]{40,64}$/)).optional(),
  })
  .refine(({ name, uri, digest }) => name !== undefined || uri !== undefined || digest !== undefined);

/**
 * in-toto Statement v1 (in-toto/attestation spec/v1/statement.md) with the predicate of slsa.dev/spec/v1.0/provenance,
 * field for field as their protocol buffers have them; a field that they do not know is refused.
 */
export const statementSchema = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z
    .array(
      z.strictObject({ name: z.string().min(1), digest: z.partialRecord(z.enum(['sha256', 'gitCommit']), z.string()) }),
    )
    .min(1),
  predicateType: z.literal('https://slsa.dev/provenance/v1'),
  predicate: z.strictObject({
    buildDefinition: z.strictObject({
      buildType: z.url(),
      externalParameters: z.record(z.string(), z.unknown()),
      internalParameters: z.record(z.string(), z.unknown()).optional(),
      resolvedDependencies: z.array(resource).optional(),
    }),
    runDetails: z.strictObject({
      builder: z.strictObject({ id: z.url(), version: z.record(z.string(), z.string()).optional() }),
      metadata: z.strictObject({
        invocationId: z.string().optional(),
        startedOn: z.iso.datetime().optional(),
        finishedOn: z.iso.datetime().optional(),
      }),
      byproducts: z.array(resource).optional(),
    }),
  }),
});
