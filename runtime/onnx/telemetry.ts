/** Read by ONNX Runtime when its first session is opened, and never again in the life of the process. */
const OPT_OUT = 'ORT_DISABLE_TELEMETRY';

/**
 * Keeps ONNX Runtime from sending usage data and writing a device id, which its official builds do by default. A
 * serving pod says nothing to anybody but its caller. Call it on the main thread before anything opens a session: a
 * worker thread has only a copy of the environment, which native code does not see.
 */
export function forbidTelemetry(): void {
  process.env[OPT_OUT] = '1';
}
