import * as z from 'zod';

/** How a store is reached is a Secret's business, so that no password ever stands in one of our objects. */
export const credentials = () =>
  z
    .object({ name: z.string().min(1).max(253).describe('Name of the Secret, in this namespace.') })
    .optional()
    .describe(
      'Secret of the store. s3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL, AWS_CA_BUNDLE (PEM). oci: .dockerconfigjson, or username and password; ca.crt; plainHTTP (true: no TLS). https: token, or username and password; ca.crt.',
    );

export const retentionField = () =>
  z
    .object({
      newest: z
        .int()
        .min(1)
        .max(10_000)
        .meta({ format: 'int32' })
        .describe('Versions of the model whose files are kept at least, newest first.'),
    })
    .optional()
    .describe(
      'When files may be deleted: those of a version that is Archived or a Candidate, has so many newer versions, never was stable in a service and serves nowhere. Card and provenance stay. Unset: never.',
    );
