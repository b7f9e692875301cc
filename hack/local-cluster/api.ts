import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';
import type { Credential } from './pki.ts';

/** One API server and who we are to it. */
export interface ApiAccess {
  readonly server: string;
  readonly authority: string; // PEM
  readonly client: Credential;
}

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

const CALL_MS = 30_000;

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Record<string, string> }[];
  readonly users: readonly { readonly user: Record<string, string> }[];
}

const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();

/** Reads a kubeconfig that renderKubeconfig wrote: one cluster, one user, everything inline. */
export function accessOf(path: string): ApiAccess {
  const { clusters, users } = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster ?? {}, users[0]?.user ?? {}];
  return {
    server: cluster['server'] ?? '',
    authority: decoded(cluster['certificate-authority-data']),
    client: {
      certificate: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
    },
  };
}

/** One call to the API server on a connection of its own. Any HTTP status is an answer; only a broken call throws. */
export const callApi = (access: ApiAccess, { method, path, body, contentType }: ApiCall): Promise<ApiAnswer> =>
  new Promise((resolve, reject) => {
    const call = request(
      new URL(path, access.server),
      {
        method,
        ca: access.authority,
        cert: access.client.certificate,
        key: access.client.key,
        agent: false,
        timeout: CALL_MS,
        headers: contentType === undefined ? {} : { 'content-type': contentType },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text })).on('error', reject);
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${CALL_MS / 1000} s`))).on('error', reject);
    call.end(body);
  });
