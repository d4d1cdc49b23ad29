import { decodeEventLog, type Hex } from 'viem';
import { computeLeaseAbi } from '../chain/contracts/generated/ComputeLease.js';
import { iProviderRegistryAbi } from '../chain/contracts/generated/IProviderRegistry.js';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import type { MinedBlock } from '../chain/deploy/minedBlocks.js';
import type { Deployment } from '../chain/deployment.js';
import { decodeRecords } from '../protocol/records.js';
import { readLogs } from '../sdk/calls/readLogs.js';
import { acceptUpdate } from '../sdk/leases/acceptUpdate.js';
import { confirmDeployment } from '../sdk/leases/confirmDeployment.js';
import { getLease } from '../sdk/leases/getLease.js';
import { markReady } from '../sdk/leases/markReady.js';
import { createMarketClient, type MarketClient } from '../sdk/marketClient.js';
import type { DevnetMarket } from './deployDevnet.js';
import type { DevnetChain } from './devnetChain.js';
import { Actor } from './story/actor.js';

/**
 * Lets the providers that are on a devnet's market now serve whoever comes: ready after each match, confirming what is announced, accepting
 * what is asked for at the tenant's ceiling. Nothing runs there. Nobody else may send with their keys. Resolves with what ends it.
 * Throws the errors of `readMarket`.
 */
export async function serveNewcomers(
  chain: DevnetChain,
  { deployment }: Pick<DevnetMarket, 'deployment'>,
  dependencies: { readonly onProblem: (problem: string) => void },
): Promise<() => void> {
  const reader = createMarketClient({ deployment, rpcUrl: chain.url });
  const added = await readLogs(reader, {
    address: deployment.contracts.providerRegistry,
    abi: iProviderRegistryAbi,
    eventName: 'ProviderAdded',
  });
  const market = { deployment, rpcUrl: chain.url };
  const owners = new Map<number, Actor>(
    added.map(({ args }) => [args.providerId, new Actor(market, chain.keyOf(args.owner))]),
  );
  const serve = async (orderId: number): Promise<void> => {
    const { providerId } = await getLease(reader, { orderId });
    await owners.get(providerId)?.act((client) => nextSteps(client, orderId));
  };
  return chain.blocks.onBlock((block) => {
    for (const orderId of waitingIn(block, deployment.contracts)) {
      serve(orderId).catch((error: unknown) => dependencies.onProblem(`order ${orderId}: ${String(error)}`));
    }
  });
}

/** Orders that a block's logs leave waiting for their provider, each once. */
export function waitingIn(
  { receipts }: Pick<MinedBlock, 'receipts'>,
  { matchSettlement, computeLease }: Pick<Deployment['contracts'], 'matchSettlement' | 'computeLease'>,
): Set<number> {
  const orderIds = new Set<number>();
  for (const { address, data, topics } of receipts.flatMap(({ logs }) => logs)) {
    const log = { data, topics: topics as [Hex, ...Hex[]] };
    if (address === matchSettlement) {
      const event = decodeEventLog({ abi: matchSettlementAbi, ...log });
      if (event.eventName === 'OrderSelfMatched') orderIds.add(event.args.orderId);
      if (event.eventName !== 'BatchSettled') continue;
      const { records, skipped } = event.args;
      decodeRecords(records).forEach(({ orderId }, index) => {
        if ((((skipped[index >> 8] ?? 0n) >> BigInt(index & 255)) & 1n) === 0n) orderIds.add(orderId);
      });
    } else if (address === computeLease) {
      const event = decodeEventLog({ abi: computeLeaseAbi, ...log });
      if (event.eventName === 'ManifestAnnounced' || event.eventName === 'LeaseUpdateRequested') {
        orderIds.add(event.args.orderId);
      }
    }
  }
  return orderIds;
}

/** Everything that is the provider's turn with a lease. */
async function nextSteps(client: MarketClient, orderId: number): Promise<void> {
  const lease = await getLease(client, { orderId });
  if (lease.end !== 'None') return;
  if (lease.readyAtSeconds === null) await markReady(client, { orderId });
  if (lease.confirmedAtSeconds === null && lease.manifestHash !== null) {
    await confirmDeployment(client, { orderId, manifestHash: lease.manifestHash });
  }
  if (lease.update !== null) await acceptUpdate(client, { orderId });
}
