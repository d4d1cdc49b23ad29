import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Hex } from 'viem';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import { storageAt } from '../chain/rpc/rpcCall.js';
import { snapshotBlockOf, type Schedule } from '../protocol/rounds.js';
import { decodeScheduleWord } from '../protocol/words/scheduleWord.js';
import { SCHEDULE_SLOT } from '../protocol/words/slots.js';
import { InProcessQuorum, type InProcessQuorumOptions } from '../test/support/inProcessQuorum.js';
import { auditRun, type AuditReport, type PlantedMatch } from './auditRun.js';
import { deployDevnet, publishOperatorTable, registerOperators, type DevnetMarket } from './deployDevnet.js';
import { startDevnetChain, type DevnetChain } from './devnetChain.js';
import { fundTenants } from './fundTenants.js';
import { ANYTHING, generateMarket } from './generateMarket.js';
import type { MarketPlan, OrderPlan } from './marketPlan.js';
import { operatorStakes } from './operatorStakes.js';
import { populateMarket } from './populateMarket.js';
import { settlementIn } from './settlementWatch.js';
import { sendOrders, type PlacedOrder } from './sendOrders.js';

/** Phases of one run, because what the audit says of a phase must not depend on those before it. */
const PHASE_ORDERS = 6;
const PHASES = 4;
const ROUND_BLOCKS = 8;

let chain: DevnetChain;
let market: DevnetMarket;
let plan: MarketPlan;
let schedule: Schedule;
let providerIds: readonly number[];
let tenantLanes: readonly TransactionLane[];
const signingKeys: Hex[] = [];

function modestOrder(index: number): OrderPlan {
  return { tenant: index % 2, spec: { ...ANYTHING, cpuMilli: 100, maxPriceMicroPerHour: 1_000_000 } };
}

beforeAll(async () => {
  chain = await startDevnetChain({ mining: 0.05, accounts: 40 });
  market = await deployDevnet(chain, { blockTimeMs: 50, roundLengthBlocks: ROUND_BLOCKS });
  const orders = Array.from({ length: PHASES * PHASE_ORDERS }, (_, index) => modestOrder(index));
  // No machine of the market has this model.
  orders[1] = { tenant: 0, spec: { ...ANYTHING, milliGpu: 1_000, models: [999], maxPriceMicroPerHour: 1_000_000 } };
  plan = { ...generateMarket({ providers: 2, orders: 0, seed: 11 }), orders, tenantCount: 2 };
  signingKeys.push(...operatorStakes(4).map(() => chain.nextAccount().privateKey));
  const [, populated, lanes] = await Promise.all([
    registerOperators(chain, market, operatorStakes(4), signingKeys),
    populateMarket(plan, chain, market),
    fundTenants(plan, chain, market),
  ]);
  await publishOperatorTable(chain, market);
  providerIds = populated.providerIds;
  tenantLanes = lanes;
  const { matchPolicy } = market.deployment.contracts;
  schedule = decodeScheduleWord(await chain.rpc.request(storageAt(matchPolicy, SCHEDULE_SLOT, 'latest')));
}, 60_000);

afterAll(() => chain.stop());

/** Sends a phase's orders, waits until all were in two closed rounds, and returns them with the end of the second. */
async function trade(phase: number): Promise<{ placed: PlacedOrder[]; end: number }> {
  const orders = plan.orders.slice(phase * PHASE_ORDERS, (phase + 1) * PHASE_ORDERS);
  const placed = await sendOrders(
    { ...plan, orders },
    providerIds,
    { chain, market, tenantLanes },
    { spreadBlocks: 1, onPlaced: () => undefined },
  );
  let round = 1;
  while (placed.some(({ eligibleFromBlock }) => eligibleFromBlock > snapshotBlockOf(schedule, round))) round++;
  const end = snapshotBlockOf(schedule, round + 2);
  await chain.blocks.reached(end);
  return { placed, end };
}

async function tradeWithQuorum(
  phase: number,
  options: Omit<InProcessQuorumOptions, 'signingKeys'> = {},
): Promise<{ report: AuditReport; placed: PlacedOrder[] }> {
  const quorum = new InProcessQuorum({ signingKeys, ...options }, chain, market);
  await quorum.start();
  const { placed, end } = await trade(phase);
  await quorum.stop();
  return { report: await auditRun(market.deployment, chain.rpc, end), placed };
}

describe('auditRun', () => {
  it('agrees with an honest quorum and gives the reason of an order that no machine can take', async () => {
    const { report, placed } = await tradeWithQuorum(0);
    expect(report.mismatches).toEqual([]);
    expect(report).toMatchObject({ matched: PHASE_ORDERS - 1, skipped: 0, lapsedRounds: [], lapsedInLastRound: 0 });
    const impossible = placed.find(({ index }) => index === 1)?.orderId;
    expect(report.unmatched).toEqual([{ orderId: impossible, reason: 'GPU_MODEL' }]);
  }, 60_000);

  it('finds an order that a colluding quorum left out, and the certificate that says otherwise', async () => {
    let censored: { round: number; orderId: number } | undefined;
    const { report } = await tradeWithQuorum(1, {
      alter: (records, round) => {
        const victim = records.at(-1);
        if (censored !== undefined || records.length < 2 || victim === undefined) return records;
        censored = { round, orderId: victim.orderId };
        return records.slice(0, -1);
      },
    });
    expect(report.mismatches).toEqual([
      `round ${censored?.round}, order ${censored?.orderId}: left out of the batch`,
      expect.stringMatching(new RegExp(`^round ${censored?.round}: the certificate was for 0x`)),
    ]);
    // The next round took it.
    expect(report.matched).toBe(2 * PHASE_ORDERS - 1);
  }, 60_000);

  it('takes a planted match for what it is, and nothing that differs from it', async () => {
    let planted: PlantedMatch | undefined;
    const quorum = new InProcessQuorum(
      {
        signingKeys,
        alter: (records, round) => {
          const [honest, ...others] = records;
          if (planted !== undefined || honest === undefined) return records;
          const settled = { ...honest, priceMicroPerHour: honest.priceMicroPerHour + 1 };
          planted = { round, messageHash: '0x', settled, honest };
          return [settled, ...others];
        },
      },
      chain,
      market,
    );
    await quorum.start();
    const { end } = await trade(2);
    await quorum.stop();
    if (planted === undefined) throw new Error('no round had a match');
    const { round, honest, settled } = planted;
    const settlement = settlementIn(await quorum.settlements.get(round)!, market.deployment, 0);
    planted = { ...planted, messageHash: settlement!.messageHash };
    const audit = async (claim: PlantedMatch): Promise<readonly string[]> => {
      const { mismatches } = await auditRun(market.deployment, chain.rpc, end, { planted: claim });
      // The order that an earlier phase of this run left out of its batch is wrong whatever is planted here.
      return mismatches.filter(
        (mismatch) => new RegExp(`^round ${round}\\b`).test(mismatch) || mismatch.includes('planted'),
      );
    };
    expect(await audit(planted)).toEqual([]);
    expect(await audit({ ...planted, messageHash: `0x${'ab'.repeat(32)}` })).toEqual([
      expect.stringMatching(/the certificate was for 0x/),
    ]);
    expect(await audit({ ...planted, settled: { ...settled, tokenId: 2 } })).toEqual([
      expect.stringMatching(`^round ${round}, order ${honest.orderId}: settled on machine`),
    ]);
    expect(await audit({ ...planted, settled: honest, honest: settled })).toEqual([
      expect.stringMatching(/the planted match is not the wrong one$/),
      expect.stringMatching(`^round ${round}, order ${honest.orderId}: settled on machine`),
    ]);
    expect(await audit({ ...planted, round: 1_000_000 })).toContain('round 1000000: the planted batch was not settled');
  }, 60_000);

  it('finds orders that machines were there for and that nobody settled', async () => {
    const { placed, end } = await trade(3);
    const report = await auditRun(market.deployment, chain.rpc, end);
    expect(report.lapsedInLastRound).toBe(PHASE_ORDERS);
    expect(report.lapsedRounds.length).toBeGreaterThanOrEqual(2);
    for (const { orderId } of placed) {
      expect(report.mismatches).toContainEqual(
        expect.stringMatching(`^order ${orderId} is unmatched although round \\d+ had a machine`),
      );
    }
  }, 60_000);
});
