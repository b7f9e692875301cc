import { GROUP, VERSION } from '@slipway/crds/contract';
import type { Client } from '../kube/client.ts';
import type { Grant } from '../kube/contracts.ts';
import { type Key, resource } from '../kube/resource.ts';
import type { KubeObject } from '../kube/wire.ts';
import { Refusal } from './refusal.ts';

/** Tokens must be made for this audience: one that is stolen here opens no API server, and none of an API server is sent here. */
export const AUDIENCE = 'slipway.dev';
export const RETRAIN_VERB = 'retrain';

export interface Caller {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

interface TokenReview extends KubeObject {
  spec: { token: string; audiences: string[] };
  status?: { authenticated?: boolean; audiences?: string[]; user?: Caller; error?: string };
}
interface SubjectAccessReview extends KubeObject {
  spec: object;
  status?: { allowed?: boolean };
}

const tokenReviews = resource<TokenReview>('authentication.k8s.io', 'v1', 'TokenReview', 'tokenreviews', false);
const accessReviews = resource<SubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'SubjectAccessReview',
  'subjectaccessreviews',
  false,
);

export const callerGrants: readonly Grant[] = [
  { resource: tokenReviews, verbs: ['create'] },
  { resource: accessReviews, verbs: ['create'] },
];

/** Reviews are answers and are never stored, so they have no name. */
const unnamed = { name: undefined } as unknown as KubeObject['metadata'];

const UNKNOWN = new Refusal(
  401,
  `Send a service account's token in the header Authorization: Bearer. kubectl create token NAME --audience=${AUDIENCE} makes one.`,
  { 'www-authenticate': 'Bearer' },
);

/** Who sent a request, as the API server knows the bearer of its token. Throws Refusal 401. */
export async function callerOf(
  client: Client,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<Caller> {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) throw UNKNOWN;
  const review: TokenReview = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: unnamed,
    spec: { token, audiences: [AUDIENCE] },
  };
  const { status } = await client.create(tokenReviews, review, { signal });
  // An authenticator that knows nothing of audiences leaves them out: then the token is one of the API server.
  const isMeant = status?.audiences?.includes(AUDIENCE) ?? false;
  if (status?.authenticated !== true || status.user === undefined || !isMeant) throw UNKNOWN;
  return status.user;
}

/** Throws Refusal 403 unless the caller has the verb `retrain` on the service. */
export async function allowed(
  client: Client,
  { username, uid, groups, extra }: Caller,
  { namespace, name }: Key,
  signal: AbortSignal,
): Promise<void> {
  const review: SubjectAccessReview = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: unnamed,
    spec: {
      user: username,
      ...(uid && { uid }),
      ...(groups && { groups }),
      ...(extra && { extra }),
      resourceAttributes: {
        namespace,
        verb: RETRAIN_VERB,
        group: GROUP,
        version: VERSION,
        resource: 'inferenceservices',
        name,
      },
    },
  };
  const { status } = await client.create(accessReviews, review, { signal });
  if (status?.allowed === true) return;
  throw new Refusal(
    403,
    `${username} may not retrain InferenceService ${name} of namespace ${namespace}: bind it to ClusterRole slipway-retrainer there.`,
  );
}
