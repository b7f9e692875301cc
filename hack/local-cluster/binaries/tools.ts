import { join } from 'node:path';

const kubernetes = 'v1.36.3';
const kubernetesFlags = [
  '-s -w',
  `-X k8s.io/component-base/version.gitVersion=${kubernetes}`,
  '-X k8s.io/component-base/version.gitMajor=1',
  '-X k8s.io/component-base/version.gitMinor=36',
].join(' ');

/** A program built from one of the Go tool modules, unless it is found somewhere sooner. */
export interface GoTool {
  /** Folder of go.mod and go.sum. */
  readonly module: string;
  readonly package: string;
  readonly ldflags: string;
  /** How a binary found elsewhere proves that it is fit: arguments, and what its answer must match. */
  readonly version?: { readonly args: readonly string[]; readonly expect: RegExp };
  /** Where the project publishes the bare binary, with `.sha256` beside it. */
  readonly release?: (os: string, arch: string) => string;
}

const modules = join(import.meta.dirname, '..', 'tools');

const kubernetesTool = (name: string, versionArgs: readonly string[] = ['--version']): GoTool => ({
  module: join(modules, 'kubernetes'),
  package: `k8s.io/kubernetes/cmd/${name}`,
  ldflags: kubernetesFlags,
  version: { args: versionArgs, expect: /v1\.36\./ },
  release: (os, arch) => `https://dl.k8s.io/${kubernetes}/bin/${os}/${arch}/${name}`,
});

const TOOLS = {
  'kube-apiserver': kubernetesTool('kube-apiserver'),
  'kube-controller-manager': kubernetesTool('kube-controller-manager'),
  'kube-scheduler': kubernetesTool('kube-scheduler'),
  'kube-proxy': kubernetesTool('kube-proxy'),
  kubelet: kubernetesTool('kubelet'),
  kubectl: kubernetesTool('kubectl', ['version', '--client']),
  helm: {
    module: join(modules, 'helm'),
    package: 'helm.sh/helm/v4/cmd/helm',
    ldflags: '-s -w',
    version: { args: ['version', '--short'], expect: /v4\./ },
  },
  coredns: { module: join(modules, 'coredns'), package: '.', ldflags: '-s -w' },
  'envoy-gateway': {
    module: join(modules, 'envoy-gateway'),
    package: 'github.com/envoyproxy/gateway/cmd/envoy-gateway',
    ldflags: '-s -w',
  },
  'local-path-provisioner': {
    module: join(modules, 'local-path-provisioner'),
    package: 'github.com/rancher/local-path-provisioner',
    ldflags: '-s -w',
  },
  pause: { module: join(modules, 'pause'), package: '.', ldflags: '-s -w' },
} as const satisfies Record<string, GoTool>;

/** What the cluster does without: others' programs that tests and benches run beside ours. */
const PEERS = {
  kwok: {
    module: join(modules, 'kwok'),
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    ldflags: '-s -w',
  },
  /** A server of S3 over a folder, for the tests of stores. */
  versitygw: {
    module: join(modules, 'versitygw'),
    package: 'github.com/versity/versitygw/cmd/versitygw',
    ldflags: '-s -w',
  },
  'argo-rollouts': {
    module: join(modules, 'argo-rollouts'),
    package: 'github.com/argoproj/argo-rollouts/cmd/rollouts-controller',
    ldflags: '-s -w',
  },
  kueue: {
    module: join(modules, 'kueue'),
    package: 'sigs.k8s.io/kueue/cmd/kueue',
    ldflags: '-s -w',
  },
} as const satisfies Record<string, GoTool>;

export type ToolName = keyof typeof TOOLS | keyof typeof PEERS;
/** The programs of the cluster itself. */
export const toolNames = Object.keys(TOOLS) as readonly (keyof typeof TOOLS)[];
export const toolNamed = (name: ToolName): GoTool => ({ ...TOOLS, ...PEERS })[name];
