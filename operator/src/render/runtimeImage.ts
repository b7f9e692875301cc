import type { Container } from './pod.ts';

/** The image of our own containers (agent, publisher, verifier), and how images are pulled. */
export interface RuntimeImage {
  readonly image: string;
  readonly pullPolicy: NonNullable<Container['imagePullPolicy']>;
}
