import type { EngineSettings } from '@slipway/crds/serving';
import { Failure } from '../../artifact/failure.ts';

export type Provider = EngineSettings['providers'][number];

/** What the C API calls each provider. */
export const PROVIDER_NAMES = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
} as const satisfies Record<Provider, string>;

/** Settings of one session, in ONNX Runtime's terms and the same for both backends. */
export interface SessionPlan {
  readonly threads: number;
  readonly optimization: EngineSettings['optimization'];
  /** Session config entries; the user's own come last and win. */
  readonly entries: Readonly<Record<string, string>>;
  /** Best first; the CPU is left out, for every session ends with it. */
  readonly gpuProviders: readonly Exclude<Provider, 'cpu'>[];
  /** Whether the model may run on the CPU where no GPU provider can be had. */
  readonly mayFallBack: boolean;
}

/** Settings to a plan; `cores` are the threads where the settings name none. Throws Failure ConfigurationInvalid. */
export function planSession(settings: EngineSettings, cores: number): SessionPlan {
  const gpuProviders = settings.providers.filter((provider) => provider !== 'cpu');
  refuseContradictions(settings, gpuProviders.length > 0);
  return {
    threads: settings.threads ?? cores,
    optimization: settings.optimization,
    entries: {
      ...spinning(settings),
      ...(gpuProviders.length > 0 ? { 'session.record_ep_graph_assignment_info': '1' } : {}),
      ...settings.session,
    },
    gpuProviders,
    mayFallBack: !settings.requireGpu && settings.providers.includes('cpu'),
  };
}

/** Without end by ONNX Runtime's default; for a moment, a thread is there for the next operator and burns no core between two requests. */
function spinning({ spinning, spinMicroseconds }: EngineSettings): Readonly<Record<string, string>> {
  return {
    'session.intra_op.allow_spinning': spinning || spinMicroseconds > 0 ? '1' : '0',
    'session.inter_op.allow_spinning': spinning ? '1' : '0',
    ...(spinning || spinMicroseconds === 0 ? {} : { 'session.intra_op.spin_duration_us': String(spinMicroseconds) }),
  };
}

function refuseContradictions(settings: EngineSettings, hasGpu: boolean): void {
  const { providers, requireGpu, gpu } = settings;
  const refuse = (sentence: string) => {
    throw new Failure('ConfigurationInvalid', sentence);
  };
  if (new Set(providers).size < providers.length) refuse('engine.providers names a provider twice; name each once.');
  if (providers.includes('cpu') && providers.at(-1) !== 'cpu') {
    refuse('engine.providers has "cpu" before another provider, which would never run; write "cpu" last.');
  }
  if (gpu.memoryBytes !== undefined && hasGpu && !providers.includes('cuda')) {
    refuse('engine.gpu.memoryBytes bounds the arena of "cuda", which engine.providers does not name; add it.');
  }
  if (hasGpu) return;
  const needsGpu = Object.entries({
    'engine.requireGpu': requireGpu,
    'engine.gpu.device': gpu.device !== 0,
    'engine.gpu.memoryBytes': gpu.memoryBytes !== undefined,
    'engine.gpu.shrink': gpu.shrink,
  }).find(([, isSet]) => isSet);
  if (needsGpu) {
    refuse(`${needsGpu[0]} is set, but engine.providers names no GPU; write "providers": ["cuda"] or leave it out.`);
  }
}
