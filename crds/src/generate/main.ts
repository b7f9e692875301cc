import { KINDS } from '../v1alpha1/kinds.ts';
import { crdFile, crdYaml } from './crd.ts';

/** A generated file: its path from the root of the repository, and its whole text. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** The CRDs of every kind, where `kubectl apply -f crds/` finds them. */
export const crdFiles = (): GeneratedFile[] =>
  KINDS.map((kind) => ({ path: `crds/${crdFile(kind)}`, text: crdYaml(kind) }));
