import { encodeEventTopics, formatEther, type Hex } from 'viem';

import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { balanceOf, latestBlock, logsInRange, transactionReceipt } from '../chain/rpc/rpcCall.js';
import { failed, ok, skipped, warning, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** Blocks over which settlements are looked at to tell what a day costs. */
const LOOK_BACK_BLOCKS = 2_000;
/** Settlements whose receipts are read. */
const SAMPLES = 5;
/** Gas of a settlement where none was seen. */
const LIKELY_GAS = 1_000_000n;
const LEAST_DAYS = 1;
const COMFORTABLE_DAYS = 7;
const DAY_SECONDS = 86_400;

/** The key that pays for settlements can do so for some days. */
export async function checkBalance(patient: Pick<Patient, 'role' | 'rpc' | 'deployment' | 'unlock'>): Promise<Finding> {
  if (patient.role === 'operator') return skipped('the signing key sends no transactions');
  const { rpc, deployment } = patient;
  const { id } = await patient.unlock();
  const [balance, head] = await rpc.batch([balanceOf(id), latestBlock()]);
  const held = `${formatEther(balance)} ETH`;
  const from = Math.max(deployment.deploymentBlock, head.number - LOOK_BACK_BLOCKS);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an event without filters has its own topic alone
  const topics = encodeEventTopics({ abi: matchSettlementAbi, eventName: 'BatchSettled' }) as Hex[];
  const logs = await rpc.request(
    logsInRange(from, head.number, { addresses: [deployment.contracts.matchSettlement], topics }),
  );
  const receipts = await rpc.batch(
    logs.slice(-SAMPLES).map(({ transactionHash }) => transactionReceipt(transactionHash)),
  );
  const costs = receipts.flatMap((receipt) => (receipt === null ? [] : [receipt.gasUsed * receipt.effectiveGasPrice]));
  const cost =
    costs.length === 0
      ? LIKELY_GAS * (head.baseFeePerGas + 1_000_000_000n)
      : costs.reduce((sum, each) => sum + each, 0n) / BigInt(costs.length);
  if (balance < cost) {
    return failed(
      `${id} holds ${held}, a settlement costs ${formatEther(cost)} ETH`,
      `send it funds on chain ${deployment.chainId}`,
    );
  }
  if (logs.length === 0) return ok(`${held}; nothing was settled lately`);
  const seconds = Math.max(1, ((head.number - from) * deployment.blockTimeMs) / 1000);
  const days = Number(balance) / ((Number(cost) * logs.length * DAY_SECONDS) / seconds);
  const runway = `${held}, about ${days < 100 ? days.toFixed(1) : Math.floor(days)} days of settlements as of late`;
  if (days < LEAST_DAYS) return failed(runway, `send ${id} funds on chain ${deployment.chainId}`);
  return days < COMFORTABLE_DAYS ? warning(runway, `send ${id} funds on chain ${deployment.chainId}`) : ok(runway);
}
