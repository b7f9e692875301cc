import * as z from 'zod';
import { type CelRule, cel, matches } from './cel.ts';
import { atomicList, mapList, quantity } from './fields.ts';

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const compute = () =>
  cel(z.record(z.string(), quantity()).meta({ maxProperties: 3 }), {
    rule: `self.all(name, name in [${COMPUTE.map((name) => `'${name}'`).join(', ')}])`,
    message: 'may name cpu, memory and ephemeral-storage only: ask for GPUs in accelerator',
    holds: (self) => Object.keys(self).every((name) => COMPUTE.includes(name)),
  });

export const resourcesSchema = z
  .object({
    requests: compute().optional().describe('Resources each pod reserves, by name (cpu, memory, ephemeral-storage).'),
    limits: compute()
      .optional()
      .describe('Resources each pod may not exceed. A pod over its memory limit is killed (OOMKilled).'),
  })
  .describe('Compute resources of each pod. Accelerators are asked for in `accelerator`, not here.');
export type Resources = z.infer<typeof resourcesSchema>;

const extendedResource = () =>
  cel(
    z.string().max(253),
    matches(
      /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
      'must be the name of an extended resource, <vendor>/<device>, such as nvidia.com/gpu or amd.com/gpu',
    ),
  );

export const acceleratorSchema = cel(
  z.object({
    resource: extendedResource().default('nvidia.com/gpu').describe('Extended resource name of the accelerator.'),
    count: z.int().min(1).max(64).meta({ format: 'int32' }).describe('Accelerators per pod.'),
    products: atomicList(z.string().max(63), 16)
      .optional()
      .describe(
        'Accepted values of the node label `<vendor>/gpu.product`; pods go only to nodes with one of them. Unset: any product.',
      ),
    minMemory: quantity()
      .optional()
      .describe('Least memory of each accelerator, such as 40Gi, against the node label `<vendor>/gpu.memory` (MiB).'),
    mig: cel(
      z.string().max(32),
      matches(
        /^[1-9][0-9]*g\.[1-9][0-9]*gb(\+[a-z.]+)?$/,
        'must be a MIG profile as nvidia-smi names it, such as 1g.10gb or 3g.20gb',
      ),
    )
      .optional()
      .describe(
        'MIG profile of each accelerator: taken as nvidia.com/mig-<profile>, or as nvidia.com/gpu of nodes split into nothing else.',
      ),
    capacity: z
      .enum(['OnDemand', 'Spot'])
      .optional()
      .describe(
        'Kind of machine, by the labels of Karpenter, GKE, EKS and AKS. OnDemand: none that may be taken back. Spot: only such, their taints tolerated. Unset: any.',
      ),
    claim: z
      .object({
        deviceClass: z.string().min(1).max(253).describe('DeviceClass, such as gpu.nvidia.com or mig.nvidia.com.'),
      })
      .optional()
      .describe(
        'Ask by a ResourceClaim (dynamic resource allocation, resource.k8s.io/v1) instead of a resource limit; products, minMemory and mig become its selectors.',
      ),
  }),
  {
    rule: "!has(self.mig) || self.resource == 'nvidia.com/gpu'",
    message: 'mig is a slice of nvidia.com/gpu: leave resource out, or mig',
    holds: ({ mig, resource }) => mig === undefined || resource === 'nvidia.com/gpu',
  },
).describe(
  'Accelerators of each pod, compiled to a resource limit or claim, node affinity and a toleration of the same resource name.',
);
export type Accelerator = z.infer<typeof acceleratorSchema>;

export const tolerationSchema = z.object({
  key: z.string().max(316).optional().describe('Taint key; unset with operator Exists tolerates every taint.'),
  operator: z.enum(['Exists', 'Equal']).optional().describe('How value is compared. Default Equal.'),
  value: z.string().max(63).optional().describe('Taint value to tolerate.'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .optional()
    .describe('Taint effect; unset tolerates all.'),
  tolerationSeconds: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .optional()
    .describe('Seconds a NoExecute taint is tolerated.'),
});

export const placementSchema = z
  .object({
    nodeSelector: z
      .record(z.string(), z.string().max(63))
      .meta({ maxProperties: 16 })
      .optional()
      .describe('Labels a node must have.'),
    tolerations: atomicList(tolerationSchema, 16)
      .optional()
      .describe('Taints the pods tolerate, beside that of their accelerator.'),
    priorityClassName: z.string().max(253).optional().describe('PriorityClass of the pods.'),
    schedulerName: z
      .string()
      .max(253)
      .optional()
      .describe('Scheduler that places the pods. Default: the cluster default.'),
    runtimeClassName: z.string().max(253).optional().describe('RuntimeClass of the pods.'),
  })
  .describe('Where pods may run, beside what their accelerator implies.');
export type Placement = z.infer<typeof placementSchema>;

/** Where the pods of a gang may run: together, if asked. */
export const gangPlacementSchema = placementSchema
  .extend({
    topologyKey: z
      .string()
      .max(316)
      .optional()
      .describe(
        'Node label whose value all pods of one attempt share, such as topology.kubernetes.io/zone or nvidia.com/gpu.clique.',
      ),
  })
  .describe('Where pods may run, beside what their accelerator implies.');
export type GangPlacement = z.infer<typeof gangPlacementSchema>;

const keyRef = (what: string) =>
  z.object({
    name: z.string().max(253).describe(`Name of the ${what}, in this namespace.`),
    key: z.string().max(253).describe('Key in it.'),
  });

/** Set in every training container by us; a second value would break the rendezvous of the pods. */
const RESERVED = ['MASTER_ADDR', 'MASTER_PORT', 'NODE_RANK', 'RANK', 'WORLD_SIZE'];
const RESERVED_PREFIXES = ['SLIPWAY_', 'PET_'];

const notReserved: CelRule<string> = {
  rule: [
    ...RESERVED_PREFIXES.map((prefix) => `!self.startsWith('${prefix}')`),
    `!(self in [${RESERVED.map((name) => `'${name}'`).join(', ')}])`,
  ].join(' && '),
  message:
    'is set by Slipway (SLIPWAY_*, PET_*, MASTER_ADDR, MASTER_PORT, NODE_RANK, RANK, WORLD_SIZE): choose another name',
  holds: (self) => !RESERVED_PREFIXES.some((prefix) => self.startsWith(prefix)) && !RESERVED.includes(self),
};

const oneValue: CelRule<{ value?: string | undefined; valueFrom?: object | undefined }> = {
  rule: 'has(self.value) != has(self.valueFrom)',
  message: 'needs exactly one of value and valueFrom',
  holds: (self) => (self.value === undefined) !== (self.valueFrom === undefined),
};

const oneSource: CelRule<{ secretKeyRef?: object | undefined; configMapKeyRef?: object | undefined }> = {
  rule: 'has(self.secretKeyRef) != has(self.configMapKeyRef)',
  message: 'needs exactly one of secretKeyRef and configMapKeyRef',
  holds: (self) => (self.secretKeyRef === undefined) !== (self.configMapKeyRef === undefined),
};

const envName = () =>
  cel(
    z.string().max(256),
    matches(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and _, not starting with a digit, such as LOG_LEVEL'),
    notReserved,
  );

const valueSource = () =>
  cel(
    z.object({
      secretKeyRef: keyRef('Secret').optional().describe('A key of a Secret.'),
      configMapKeyRef: keyRef('ConfigMap').optional().describe('A key of a ConfigMap.'),
    }),
    oneSource,
  );

export const envVarSchema = cel(
  z.object({
    name: envName().describe(
      'Name of the variable. SLIPWAY_*, PET_* and the rendezvous variables are ours and refused.',
    ),
    value: z.string().max(32768).optional().describe('Its value. Exactly one of value and valueFrom.'),
    valueFrom: valueSource().optional().describe('Where to read the value from. Exactly one source.'),
  }),
  oneValue,
);
export const envField = () => mapList(envVarSchema, 100, 'name').optional().describe('Environment of the container.');
export type EnvVar = z.infer<typeof envVarSchema>;

export const envFromField = () =>
  atomicList(
    cel(
      z.object({
        prefix: z.string().max(64).optional().describe('Put before each name.'),
        secretRef: z
          .object({ name: z.string().max(253).describe('Name of the Secret.') })
          .optional()
          .describe('All keys of a Secret of this namespace.'),
        configMapRef: z
          .object({ name: z.string().max(253).describe('Name of the ConfigMap.') })
          .optional()
          .describe('All keys of a ConfigMap of this namespace.'),
      }),
      {
        rule: 'has(self.secretRef) != has(self.configMapRef)',
        message: 'needs exactly one of secretRef and configMapRef',
        holds: (self) => (self.secretRef === undefined) !== (self.configMapRef === undefined),
      },
    ),
    16,
  )
    .optional()
    .describe('Environment from whole Secrets and ConfigMaps. Names of ours win over theirs.');

/** The one way around what our fields can say. The server prunes nothing of it, and a dry-run create of the Job says what is wrong with it. */
export const podTemplateField = () =>
  z
    .object({
      metadata: z
        .object({
          labels: z.record(z.string(), z.string().max(63)).meta({ maxProperties: 32 }).optional().describe('Labels.'),
          annotations: z
            .record(z.string(), z.string().max(4096))
            .meta({ maxProperties: 32 })
            .optional()
            .describe('Annotations.'),
        })
        .optional()
        .describe('Added to the pods. Keys of slipway.dev and app.kubernetes.io/managed-by are ours.'),
      spec: z
        .looseObject({})
        .meta({ 'x-kubernetes-preserve-unknown-fields': true })
        .optional()
        .describe(
          'PodSpec, laid over ours as kubectl patch does (strategic merge: containers, volumes and env by name). The trainer is the container train.',
        ),
    })
    .optional()
    .describe(
      'Overlay of the pod template, for what no field here says. Holds from the next attempt on; one that the API server refuses becomes the condition Stalled, reason PodTemplateInvalid, with its words.',
    );
