import type { FailureClass } from '@slipway/crds';

/** Words by which a trainer, its framework or a driver names what went wrong. */
export interface WordRule {
  readonly class: FailureClass;
  readonly pattern: RegExp;
  readonly says: (found: string) => string;
  readonly nodeToBlame?: true;
  /** What a person must do before another attempt can end better. */
  readonly remedy?: string;
}

/**
 * Xid numbers that name a fault of the machine, by NVIDIA's catalogue of Xid errors. Others (13, 31, 43, 45 …) are what
 * a wrong memory access of the program leaves behind: blaming the node for them would empty the cluster.
 */
const MACHINE_XIDS = [48, 61, 62, 63, 64, 74, 79, 92, 94, 95, 109, 110, 119, 120, 136, 140, 143];

const xid = RegExp(`\\bXid\\b[^\\n]{0,60}?[ :]+(?:${MACHINE_XIDS.join('|')})\\b`, 'i');

/** First match wins: a broken accelerator makes collectives fail too, and the cause is not the echo. */
export const WORD_RULES: readonly WordRule[] = [
  {
    class: 'AcceleratorFault',
    pattern: xid,
    says: (found) => `the accelerator failed (${found.replace(/^.*\D(\d+)$/s, 'Xid $1')})`,
    nodeToBlame: true,
  },
  {
    class: 'AcceleratorFault',
    pattern:
      /GPU is lost|fallen off the bus|uncorrectable (?:NVLink|ECC|memory)[ a-z]*error|ECC error|hardware stack error|NVLink error|no CUDA-capable device is detected|CUDA-capable device\(s\) is\/are busy or unavailable|CUDA driver initialization failed|system not yet initialized|HSA_STATUS_ERROR_OUT_OF_RESOURCES/i,
    says: (found) => `the accelerator failed (${found})`,
    nodeToBlame: true,
  },
  {
    class: 'OutOfMemory',
    pattern:
      /(?:CUDA|HIP|XPU|MPS backend) out of memory|torch\.(?:cuda\.)?OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|RESOURCE_EXHAUSTED: Out of memory|OOM when allocating tensor|CUBLAS_STATUS_ALLOC_FAILED/i,
    says: () => 'the accelerator ran out of memory',
    remedy: 'Make the batches smaller, or ask for larger accelerators by accelerator.minMemory.',
  },
  {
    class: 'OutOfMemory',
    pattern:
      /std::bad_alloc|DefaultCPUAllocator: (?:not enough|can't allocate) memory|\bMemoryError\b|Cannot allocate memory/i,
    says: () => 'the trainer ran out of memory',
  },
  {
    class: 'Rendezvous',
    pattern:
      /Rendezvous(?:Timeout|Connection|Closed)Error|client socket has timed out after|Timed out after \d+ seconds waiting for clients|server socket has failed to listen|Failed to connect to coordination service|DEADLINE_EXCEEDED: Barrier timed out/i,
    says: () => 'the pods did not find each other',
  },
  {
    class: 'Communication',
    pattern:
      /NCCL (?:error|WARN)|nccl(?:Remote|System|Internal|UnhandledCuda)Error|RCCL error|Watchdog caught collective operation timeout|ProcessGroup(?:NCCL|Gloo)|gloo\/transport|Connection (?:reset|closed) by peer|Dist(?:Backend|Network|Store)Error|Broken pipe|Socket closed|heartbeat timeout|Collective ops is aborted/i,
    says: (found) => `it lost its peers (${found})`,
  },
];
