import { encodeFunctionData } from 'viem';
import { devnetTokenAbi } from '../chain/contracts/generated/DevnetToken.js';
import { escrowAbi } from '../chain/contracts/generated/Escrow.js';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import { lockAmount, userFeeAmount } from '../protocol/lock.js';
import type { DevnetMarket } from './deployDevnet.js';
import type { DevnetChain } from './devnetChain.js';
import { DEVNET_TOKENS, type MarketPlan } from './marketPlan.js';

/**
 * Gives every tenant of the plan a key and deposits into escrow exactly what all of its orders will lock, fees included.
 * Resolves with the tenants' lanes by index. Throws TransactionRevertedError.
 */
export async function fundTenants(
  plan: MarketPlan,
  chain: DevnetChain,
  market: DevnetMarket,
): Promise<readonly TransactionLane[]> {
  const lanes = Array.from({ length: plan.tenantCount }, () => chain.lane(chain.nextAccount().privateKey));
  const { escrow } = market.deployment.contracts;
  const { userFeeBps, nativeTokenId } = market.economy.fees;
  await Promise.all(
    lanes.map(async (lane, tenant) => {
      const specs = plan.orders.filter((order) => order.tenant === tenant).map(({ spec }) => spec);
      for (const { id, decimals, symbol } of DEVNET_TOKENS) {
        const amount = specs
          .filter(({ tokenId }) => tokenId === id)
          .map((spec) => lockAmount(spec.maxPriceMicroPerHour, spec.durationMinutes, decimals))
          .reduce((sum, cost) => sum + cost + userFeeAmount(cost, id === nativeTokenId ? 0 : userFeeBps), 0n);
        const token = market.paymentTokens[id - 1];
        if (amount === 0n || token === undefined) continue;
        await Promise.all([
          lane.run({
            to: token,
            data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [lane.address, amount] }),
            label: `mint ${symbol} for tenant ${tenant}`,
          }),
          lane.run({
            to: token,
            data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'approve', args: [escrow, amount] }),
            label: `approve ${symbol} of tenant ${tenant}`,
          }),
        ]);
        await lane.run({
          to: escrow,
          data: encodeFunctionData({ abi: escrowAbi, functionName: 'deposit', args: [id, amount] }),
          label: `deposit ${symbol} of tenant ${tenant}`,
          errorsAbi: escrowAbi,
        });
      }
    }),
  );
  return lanes;
}
