import * as fc from 'fast-check';
import { encodeDeployData } from 'viem';
import type { Address, Hex } from 'viem';
import { rulesHarnessAbi, rulesHarnessBytecode } from '../../chain/contracts/generated/RulesHarness.js';
import { readEigen } from '../../chain/eigenlayer/eigenCall.js';
import { createRpc } from '../../chain/rpc/rpc.js';
import type { Rpc } from '../../chain/rpc/rpc.js';
import { transactionReceipt } from '../../chain/rpc/rpcCall.js';
import { devAccounts } from '../../devnet/devAccounts.js';
import { startAnvil } from '../../devnet/startAnvil.js';
import { explainOrder } from '../../engine/explainOrder.js';
import { chooseDevices } from '../../engine/devices.js';
import { DEVICES_PER_MACHINE } from '../../engine/market.js';
import type { Order } from '../../engine/order.js';
import { packingOf } from '../../engine/packing.js';
import { eligibilityOf } from '../../engine/orderTerms.js';
import type { Policy } from '../../engine/policy.js';
import { roundPlanArbitrary } from '../../engine/reference/arbitrarySnapshot.js';
import type { RoundPlan } from '../../engine/reference/arbitrarySnapshot.js';
import { RejectionReason, rejectionName } from '../../engine/rejectionReason.js';
import type { Snapshot } from '../../engine/snapshot.js';
import { NO_PACKING } from '../../protocol/packingHash.js';
import { policyStructOf } from '../../protocol/policyStruct.js';
import { roundSeed } from '../../protocol/seed.js';
import {
  bidSlot,
  MACHINE_OFFER_WORD,
  MACHINE_WORD,
  machineSlot,
  ORDER_WORD,
  orderSlot,
  PROVIDER_WORD,
  providerSlot,
} from '../../protocol/words/slots.js';
import { control } from '../support/marketChain.js';
import { plannedWords } from './plannedWords.js';

export interface RulesCampaignOptions {
  /** Pairs of an order and a machine to compare, at least. */
  readonly vectors: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
}

export interface RulesCampaignResult {
  readonly vectors: number;
  readonly mismatches: number;
  readonly seed: number;
  /** How many pairs each filter kept apart; `none` is scored. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Pairs by the version of the rules. */
  readonly versions: Readonly<Record<number, number>>;
  /** The first pairs that differ. */
  readonly problems: readonly string[];
}

const PLANS_A_REQUEST = 8;
const PROBLEMS_KEPT = 20;
const PROGRESS_VECTORS = 500_000;
const DEPLOY_GAS = '0x1c9c380';

/** Compares the engine with the rules that the judge executes, over every order and machine of random markets. Throws the errors of the RPC. */
export async function runRulesCampaign(options: RulesCampaignOptions): Promise<RulesCampaignResult> {
  const anvil = await startAnvil({ mining: 'instant' });
  try {
    const rpc = createRpc({ url: anvil.url, requestTimeoutMs: 60_000 });
    const campaign = new RulesCampaign(options, rpc, await deployHarness(rpc));
    return await campaign.run();
  } finally {
    await anvil.stop();
  }
}

async function deployHarness(rpc: Rpc): Promise<Address> {
  const transaction = {
    from: devAccounts()(0).account.address,
    data: encodeDeployData({ abi: rulesHarnessAbi, bytecode: rulesHarnessBytecode }),
    gas: DEPLOY_GAS,
  };
  const { transactionHash } = (await rpc.request(control('eth_sendTransactionSync', [transaction]))) as {
    readonly transactionHash: Hex;
  };
  const receipt = await rpc.request(transactionReceipt(transactionHash));
  if (receipt?.contractAddress == null) throw new Error('the harness was not deployed');
  return receipt.contractAddress;
}

class RulesCampaign {
  readonly #options: RulesCampaignOptions;
  readonly #rpc: Rpc;
  readonly #harness: Address;
  readonly #reasons = new Map<string, number>();
  readonly #versions = new Map<number, number>();
  readonly #problems: string[] = [];
  #vectors = 0;
  #mismatches = 0;
  #planSeed = 0;

  constructor(options: RulesCampaignOptions, rpc: Rpc, harness: Address) {
    this.#options = options;
    this.#rpc = rpc;
    this.#harness = harness;
  }

  async run(): Promise<RulesCampaignResult> {
    const { vectors, seed, onProgress } = this.#options;
    let said = 0;
    while (this.#vectors < vectors) {
      await Promise.all(Array.from({ length: PLANS_A_REQUEST }, () => this.#compare(this.#nextPlan())));
      if (this.#vectors - said < PROGRESS_VECTORS) continue;
      said = this.#vectors;
      onProgress?.(`${this.#vectors} of ${vectors} vectors, ${this.#mismatches} mismatches`);
    }
    return {
      vectors: this.#vectors,
      mismatches: this.#mismatches,
      seed,
      reasons: Object.fromEntries(this.#reasons),
      versions: Object.fromEntries(this.#versions),
      problems: this.#problems,
    };
  }

  #nextPlan(): { readonly plan: RoundPlan; readonly planSeed: number } {
    const planSeed = this.#options.seed * 1_000_003 + this.#planSeed++;
    const [plan] = fc.sample(roundPlanArbitrary, { seed: planSeed, numRuns: 1 });
    return { plan: plan!, planSeed };
  }

  async #compare({ plan, planSeed }: { readonly plan: RoundPlan; readonly planSeed: number }): Promise<void> {
    const planned = plannedWords(plan);
    const { snapshot } = planned;
    const { market, orders } = snapshot;
    const seed = roundSeed(snapshot.snapshotHash, snapshot.round);
    if (orders.length === 0) return;
    const wordOf = (words: ReadonlyMap<bigint, bigint>, slot: bigint): bigint => words.get(slot) ?? 0n;
    const machineIds = Array.from({ length: market.machineCount }, (_, index) => index + 1);
    const results = await readEigen(this.#rpc, {
      address: this.#harness,
      abi: rulesHarnessAbi,
      functionName: 'judgeAll',
      args: [
        {
          facts: {
            round: BigInt(snapshot.round),
            snapshotBlock: BigInt(snapshot.blockNumber),
            timestamp: BigInt(snapshot.timestampSeconds),
          },
          policy: policyStructOf(plan.policy),
          packing: plan.policy.packing ?? NO_PACKING,
          seed,
        },
        orders.map((order) => ({
          orderId: order.orderId,
          word: wordOf(planned.orders, orderSlot(order.orderId, ORDER_WORD)),
          spec: order,
          bids: (snapshot.bids.get(order.orderId) ?? []).map(({ bidIndex }) =>
            wordOf(planned.orders, bidSlot(order.orderId, bidIndex)),
          ),
        })),
        machineIds.map((id) => {
          const offer = (index: number): bigint =>
            wordOf(planned.registry, machineSlot(id, MACHINE_OFFER_WORD + index));
          return {
            word: wordOf(planned.registry, machineSlot(id, MACHINE_WORD)),
            provider: wordOf(planned.registry, providerSlot(market.providerId[id]!, PROVIDER_WORD)),
            offers: [offer(0), offer(1), offer(2), offer(3)] as const,
          };
        }),
      ],
    });
    const { rulesVersion } = plan.policy;
    this.#versions.set(rulesVersion, (this.#versions.get(rulesVersion) ?? 0) + orders.length * machineIds.length);
    orders.forEach((order, row) => {
      const expected = engineResults(snapshot, plan.policy, seed, order);
      machineIds.forEach((id) => {
        const judged = results[row * machineIds.length + id - 1]!;
        this.#take(judged, expected[id - 1]!, `plan ${planSeed}, order ${order.orderId}, machine ${id}`);
      });
    });
  }

  #take(judged: bigint, expected: bigint, where: string): void {
    this.#vectors++;
    const reason = Number(expected & 0xffn);
    const name = reason === 0 ? 'none' : rejectionName(reason);
    this.#reasons.set(name, (this.#reasons.get(name) ?? 0) + 1);
    if (judged === expected) return;
    this.#mismatches++;
    if (this.#problems.length < PROBLEMS_KEPT)
      this.#problems.push(`${where}: the judge has 0x${judged.toString(16)}, the engine 0x${expected.toString(16)}`);
  }
}

/** What the engine makes of an order alone, by machine, in the harness's form. */
function engineResults(snapshot: Snapshot, policy: Policy, seed: Hex, order: Order): bigint[] {
  const { market } = snapshot;
  const deviceValue = packingOf(policy)?.deviceValue ?? null;
  const results = Array.from({ length: market.machineCount }, () => BigInt(RejectionReason.ORDER_NOT_ELIGIBLE));
  if (eligibilityOf(order, snapshot) !== 'eligible') return results;
  const { rejections, scores } = explainOrder({ ...snapshot, orders: [order] }, policy, seed, order.orderId);
  for (const { machineId, reason } of rejections) results[machineId - 1] = BigInt(reason);
  for (const { machineId, total, priceMicroPerHour, fromBid } of scores) {
    const mask = chooseDevices(market.freeMilliGpu, machineId * DEVICES_PER_MACHINE, order.milliGpu, deviceValue);
    results[machineId - 1] =
      (BigInt(total) << 64n) | (BigInt(priceMicroPerHour) << 24n) | (BigInt(mask) << 16n) | (fromBid ? 256n : 0n);
  }
  return results;
}
