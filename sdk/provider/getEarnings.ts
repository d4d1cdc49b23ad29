import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { readMarket } from '../calls/callMarket.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';
import { listTokens } from '../tokens/listTokens.js';
import { getProvider } from './getProvider.js';

export interface GetEarningsParameters {
  readonly providerId: number;
}

/** What a provider earned with leases in one token, in its units. */
export interface TokenEarnings {
  readonly tokenId: number;
  readonly symbol: string;
  readonly decimals: number;
  /** Credited by all claims and ends of leases so far, after fees. */
  readonly credited: bigint;
  /** The owner's free balance in the escrow: `withdraw` pays it out. */
  readonly withdrawable: bigint;
  /** Accrued by running leases, before fees and including what they were already paid. */
  readonly accruing: bigint;
  /** Leases that run now. */
  readonly runningLeases: readonly number[];
}

/**
 * What a provider earned with leases, token by token.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const earnings = await getEarnings(client, { providerId: 2 });
 */
export async function getEarnings(
  client: MarketClient,
  { providerId }: GetEarningsParameters,
): Promise<readonly TokenEarnings[]> {
  const escrow = { address: client.contracts.escrow, abi: iEscrowAbi } as const;
  const leases = { address: client.contracts.computeLease, abi: iComputeLeaseAbi } as const;
  const [{ owner }, tokens] = await Promise.all([getProvider(client, { providerId }), listTokens(client)]);
  const [paid, ready] = await Promise.all([
    readLogs(client, { ...escrow, eventName: 'LeasePaid', args: { provider: owner } }),
    readLogs(client, { ...leases, eventName: 'ProviderReady', args: { providerId } }),
  ]);
  const closed = await readLogs(client, { ...leases, eventName: 'LeaseClosed', args: { providerId } });
  // An order that went back to matching may come to the same provider again: the last word counts.
  const ended = new Map(closed.map((log) => [log.args.orderId, log]));
  const running = new Set(
    ready
      .filter(({ args, blockNumber }) => (ended.get(args.orderId)?.blockNumber ?? -1n) < blockNumber)
      .map(({ args }) => args.orderId),
  );
  const accruing = await Promise.all(
    [...running].map(async (orderId) => {
      const [{ tokenId }, amount] = await Promise.all([
        readMarket(client, { ...leases, functionName: 'getLease', args: [orderId] }),
        readMarket(client, { ...leases, functionName: 'accrued', args: [orderId] }),
      ]);
      return { orderId, tokenId, amount };
    }),
  );
  return Promise.all(
    tokens.map(async ({ tokenId, symbol, decimals }) => {
      const own = accruing.filter((lease) => lease.tokenId === tokenId);
      return {
        tokenId,
        symbol,
        decimals,
        credited: paid.reduce((sum, { args }) => (args.tokenId === tokenId ? sum + args.amount : sum), 0n),
        withdrawable: await readMarket(client, { ...escrow, functionName: 'balanceOf', args: [owner, tokenId] }),
        accruing: own.reduce((sum, { amount }) => sum + amount, 0n),
        runningLeases: own.map(({ orderId }) => orderId),
      };
    }),
  );
}
