import type { ModelVersionSpec } from './v1alpha1/modelversion.ts';

type Provenance = NonNullable<ModelVersionSpec['provenance']>;

export const REDACTED = '(redacted)';

/** Names of parameters whose values nobody means to publish. */
const SECRET = /secret|passw(or)?d|passphrase|credential|(api|access|private)[-_.]?key|auth(?!or)/i;
const TOKEN = /token/i;
/** Sizes and marks of text, which are no secrets. */
const TEXT_TOKEN = /tokeni[sz]|tokens|token[-_.]?(id|len|count|size|type)|(pad|eos|bos|unk|mask|cls|sep)[-_.]?token/i;

const isSecret = (name: string): boolean => SECRET.test(name) || (TOKEN.test(name) && !TEXT_TOKEN.test(name));

/** User information in an address is a password too. */
const withoutPassword = (uri: string): string => uri.replace(/^([a-z0-9+.-]+:\/\/)[^/@\s]*@/i, '$1');

/** The provenance as it may be shown to whoever may read a report or a card: both are passed on. */
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
