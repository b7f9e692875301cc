import { ConnectionError, ERROR, MAX_WINDOW, SETTING } from './protocol.ts';

export const readWord = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;

/** What the peer asks of us; a field is undefined where it asked nothing. The rest does not concern a server without push. */
export interface PeerSettings {
  initialWindow?: number;
  maxFrame?: number;
}

/** Payload of SETTINGS. Throws ConnectionError as RFC 9113, section 6.5.2, has it. */
export function readSettings(bytes: Uint8Array, start: number, end: number): PeerSettings {
  if ((end - start) % 6 !== 0) throw new ConnectionError(ERROR.frameSize, 'SETTINGS that are cut off');
  const settings: PeerSettings = {};
  for (let at = start; at < end; at += 6) {
    const name = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const value = readWord(bytes, at + 2);
    if (name === SETTING.initialWindowSize) settings.initialWindow = inRange(value, 0, MAX_WINDOW, ERROR.flowControl);
    if (name === SETTING.maxFrameSize) settings.maxFrame = inRange(value, 16_384, 16_777_215, ERROR.protocol);
    if (name === SETTING.enablePush) inRange(value, 0, 1, ERROR.protocol);
  }
  return settings;
}

function inRange(value: number, least: number, most: number, code: number): number {
  if (value >= least && value <= most) return value;
  throw new ConnectionError(code, `a setting of ${value}, ${least} to ${most} are allowed`);
}

/** The increment of WINDOW_UPDATE; 0 is a fault that the caller names. Throws ConnectionError. */
export function readIncrement(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 4) throw new ConnectionError(ERROR.frameSize, 'a WINDOW_UPDATE that is not 4 bytes long');
  return readWord(bytes, start) & MAX_WINDOW;
}
