/** Files of the control plane, all below one directory. */
export interface ApiServerOptions {
  readonly etcd: string; // URL
  readonly port: number;
  readonly directory: string;
  readonly bindAddress: string;
  readonly advertiseAddress: string;
  readonly serviceRange: string;
}

/** What every API server of ours gets; the cluster with a node adds its own. Files are named in pkiFiles.ts. */
export const apiServerArguments = (options: ApiServerOptions): string[] => {
  const file = (name: string): string => `${options.directory}/pki/${name}`;
  return [
    `--etcd-servers=${options.etcd}`,
    `--bind-address=${options.bindAddress}`,
    `--advertise-address=${options.advertiseAddress}`,
    `--secure-port=${options.port}`,
    `--cert-dir=${options.directory}/pki`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('service-account.pub')}`,
    `--service-account-signing-key-file=${file('service-account.key')}`,
    `--service-cluster-ip-range=${options.serviceRange}`,
    '--allow-privileged=true',
    '--authorization-mode=Node,RBAC',
    '--profiling=false',
  ];
};

/** etcd keeps nothing that must survive a power cut here, so it need not wait for the disk. */
export const etcdArguments = (directory: string, clientUrl: string, peerUrl: string): string[] => [
  `--data-dir=${directory}/etcd`,
  `--listen-client-urls=${clientUrl}`,
  `--advertise-client-urls=${clientUrl}`,
  `--listen-peer-urls=${peerUrl}`,
  `--initial-advertise-peer-urls=${peerUrl}`,
  `--initial-cluster=default=${peerUrl}`,
  '--unsafe-no-fsync',
  '--quota-backend-bytes=2147483648',
  '--log-level=warn',
];
