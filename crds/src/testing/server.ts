import { accessOf, callApi } from '@slipway/hack/local-cluster/api.ts';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts'; // declares what tests inject
import { API_VERSION } from '../contract.ts';
import type { KindDefinition } from '../kind.ts';
import type { Case } from './cases.ts';

interface Cause {
  readonly field?: string;
  readonly message?: string;
}

export interface Answer {
  readonly status: number;
  /** The object as stored, or the Status that says why not. */
  readonly body: Record<string, unknown> & { readonly details?: { readonly causes?: readonly Cause[] } };
  /** "<field>: <message>" of each reason for a refusal. */
  readonly reasons: readonly string[];
}

export interface TestServer {
  create(kind: KindDefinition, manifest: Case['manifest'], query?: string): Promise<Answer>;
  /** Server-side apply, as one field manager. */
  apply(kind: KindDefinition, manifest: Case['manifest'], query?: string): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
}

/** The real API server, as the tests of the API use it. */
export function testServer(kubeconfig: string, namespace: string): TestServer {
  const access = accessOf(kubeconfig);
  const call = async (method: 'GET' | 'POST' | 'PATCH', path: string, content?: unknown): Promise<Answer> => {
    const contentType = method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json';
    const payload = content === undefined ? {} : { body: JSON.stringify(content), contentType };
    const answer = await callApi(access, { method, path, ...payload });
    const body = JSON.parse(answer.body) as Answer['body'];
    const reasons = (body.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
    return { status: answer.status, body, reasons };
  };
  const collection = ({ plural }: KindDefinition) => `/apis/${API_VERSION}/namespaces/${namespace}/${plural}`;
  return {
    create: (kind, manifest, query = '') => call('POST', `${collection(kind)}?${query}`, manifest),
    apply: (kind, manifest, query = '') =>
      call('PATCH', `${collection(kind)}/${manifest.metadata.name}?fieldManager=test&${query}`, manifest),
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
  };
}
