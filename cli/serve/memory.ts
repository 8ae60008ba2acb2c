import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8 from enlarging its space for new objects any further, from 30 MB after the start to some 80 MB on a
 * busy server. Buffers wait there for their collection, too: after a thousand publishes the process had 281 MB
 * instead of 343 MB, and requests were as fast.
 */
export function limitYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
