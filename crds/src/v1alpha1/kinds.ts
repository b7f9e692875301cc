import type { KindDefinition } from '../kind.ts';
import { inferenceServiceKind } from './inferenceservice.ts';
import { modelVersionKind } from './modelversion.ts';
import { trainingJobKind } from './trainingjob.ts';

/** Every kind of the group, in the order of a model's life. */
export const KINDS: readonly KindDefinition[] = [trainingJobKind, modelVersionKind, inferenceServiceKind];
