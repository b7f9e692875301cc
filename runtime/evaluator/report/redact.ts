import type { ModelVersionSpec } from '@slipway/crds';

type Provenance = NonNullable<ModelVersionSpec['provenance']>;

export const REDACTED = '(redacted)';

/** Names of parameters whose values nobody means to publish. */
const SECRET =
  /(secret|passw(or)?d|passphrase|token|credential|api[-_.]?key|access[-_.]?key|private[-_.]?key|auth(?!or))/i;
/** tokenizer, max_tokens and their like are sizes of text. */
const HARMLESS =
  /^(.*[-_.])?(tokenizer|n|num|max|min|pad|eos|bos|unk|mask)?[-_.]?(tokens?|token[-_.]?id|tokenizer)([-_.](length|size|id|ids|count))?$/i;

const isSecret = (name: string): boolean =>
  SECRET.test(name) &&
  !(HARMLESS.test(name) && !/secret|access|auth|api/i.test(name) && name.toLowerCase() !== 'token');

/** User information in an address is a password too. */
const withoutPassword = (uri: string): string => uri.replace(/^([a-z0-9+.-]+:\/\/)[^/@\s]*@/i, '$1');

/** The provenance as it may be shown to whoever may read the reports. */
export function redacted(provenance: Provenance): Provenance {
  const { parameters, source, datasets } = provenance;
  return {
    ...provenance,
    ...(parameters === undefined
      ? {}
      : {
          parameters: Object.fromEntries(
            Object.entries(parameters).map(([name, value]) => [
              name,
              isSecret(name) ? REDACTED : withoutPassword(value),
            ]),
          ),
        }),
    ...(source === undefined ? {} : { source: { ...source, repository: withoutPassword(source.repository) } }),
    ...(datasets === undefined ? {} : { datasets: datasets.map((one) => ({ ...one, uri: withoutPassword(one.uri) })) }),
  };
}
