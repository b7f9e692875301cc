import { inject } from 'vitest';

/**
 * vitest setup file: gives the files of this worker the API server of this worker as `inject('kubeconfig')`. vitest
 * provides all workers with the same, so it is put where `inject` looks; should that ever be elsewhere, nothing runs.
 */
const answer = await fetch(`${inject('controlPlanes')}/${process.env['VITEST_POOL_ID']}`);
const kubeconfig = await answer.text();
if (!answer.ok) throw new Error(`there is no control plane for this worker: ${kubeconfig}`);
const worker = globalThis as { readonly __vitest_worker__?: { readonly providedContext: Record<string, unknown> } };
Object.assign(worker.__vitest_worker__?.providedContext ?? {}, { kubeconfig });
if (inject('kubeconfig') !== kubeconfig) throw new Error('this version of vitest keeps what it provides elsewhere');
