import { iMatchPolicyAbi } from '../../chain/contracts/generated/IMatchPolicy.js';
import { readMarket, type EventArgs } from '../calls/callMarket.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';

export interface GetOpenPolicyReturnType {
  /** The round that is open, 0 for none. */
  readonly openRound: number;
  /** The policy of the open round, as settlement takes it by preimage. */
  readonly policy: EventArgs<typeof iMatchPolicyAbi, 'PolicyScheduled'>['policy'];
}

/**
 * The open round and its match policy.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const { openRound, policy } = await getOpenPolicy(client);
 */
export async function getOpenPolicy(client: MarketClient): Promise<GetOpenPolicyReturnType> {
  const contract = { address: client.contracts.matchPolicy, abi: iMatchPolicyAbi } as const;
  const [openRound, scheduled] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'openRound', args: [] }),
    readLogs(client, { ...contract, eventName: 'PolicyScheduled' }),
  ]);
  // Before the first snapshot no round is open; the first policy is then the one to come.
  const newest = scheduled.findLast(({ args }) => args.fromRound <= Math.max(openRound, 1));
  if (newest === undefined) throw new RangeError(`no policy was scheduled up to round ${openRound}`);
  return { openRound, policy: newest.args.policy };
}
