import { iRewardOracleAbi } from '../../chain/contracts/generated/IRewardOracle.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

/** How a provider did in an era, as the score oracle posts it. */
export interface EraResult {
  readonly providerId: number;
  /** Share of GPU challenges passed, bps; null for a provider without GPU. */
  readonly gpuPassedBps: number | null;
  readonly cpuPassedBps: number;
  /** At most 1000 bps from the one before; an unmeasured provider starts at 5000. */
  readonly reputationBps: number;
  /** Seconds of the era that earn nothing: disconnected, paused, and the cooldown after each reconnect. */
  readonly idleSeconds: number;
  readonly voided: boolean;
}

export interface PostResultsParameters {
  readonly era: number;
  /** At most 64. */
  readonly results: readonly EraResult[];
}

const NO_GPU = 0x3fff;

/**
 * Posts challenge results of an era that is over. Only the score oracle, once an era and provider. Throws the errors of `writeMarket`.
 *
 * @example
 * await postResults(client, {
 *   era: 41,
 *   results: [
 *     { providerId: 1, gpuPassedBps: 9900, cpuPassedBps: 10_000, reputationBps: 5200, idleSeconds: 0, voided: false },
 *   ],
 * });
 */
export async function postResults(client: MarketClient, { era, results }: PostResultsParameters): Promise<Written> {
  const receipt = await writeMarket(client, {
    address: client.contracts.rewardOracle,
    abi: iRewardOracleAbi,
    functionName: 'postResults',
    args: [era, results.map((result) => ({ ...result, gpuPassedBps: result.gpuPassedBps ?? NO_GPU }))],
  });
  return writtenBy(receipt);
}
