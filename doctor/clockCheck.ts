import { latestBlock } from '../chain/rpc/rpcCall.js';
import { failed, ok, warning, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** Seconds that a block's timestamp may be ahead of this machine's clock. */
const MOST_AHEAD_SECONDS = 5;
/** Blocks' worth of time, and seconds at least, after which a head is old. */
const OLD_HEAD_BLOCKS = 20;
const OLD_HEAD_SECONDS = 60;

/** This machine's clock agrees with the market chain's. */
export async function checkClock({
  rpc,
  deployment,
  clock,
}: Pick<Patient, 'rpc' | 'deployment' | 'clock'>): Promise<Finding> {
  const { number, timestamp } = await rpc.request(latestBlock());
  const ageSeconds = clock.nowMs() / 1000 - timestamp;
  if (ageSeconds < -MOST_AHEAD_SECONDS) {
    return failed(
      `block ${number} is ${Math.ceil(-ageSeconds)} s ahead of this machine's clock`,
      'set the clock by NTP (timedatectl set-ntp true)',
    );
  }
  const oldSeconds = Math.max(OLD_HEAD_SECONDS, (OLD_HEAD_BLOCKS * deployment.blockTimeMs) / 1000);
  if (ageSeconds > oldSeconds) {
    return warning(
      `block ${number} is ${Math.floor(ageSeconds)} s old`,
      'see whether the node is stuck, or this clock fast (timedatectl); a chain that makes blocks on demand may just be idle',
    );
  }
  return ok(`block ${number} is ${Math.max(0, Math.round(ageSeconds))} s old`);
}
