import { storageAt } from '../chain/rpc/rpcCall.js';
import { deployDevnet, publishOperatorTable, registerOperators } from '../devnet/deployDevnet.js';
import { startDevnetChain } from '../devnet/devnetChain.js';
import { fundTenants } from '../devnet/fundTenants.js';
import { ANYTHING } from '../devnet/generateMarket.js';
import type { MarketPlan } from '../devnet/marketPlan.js';
import { operatorStakes } from '../devnet/operatorStakes.js';
import { populateMarket } from '../devnet/populateMarket.js';
import { sendOrders } from '../devnet/sendOrders.js';
import { settlementIn } from '../devnet/settlementWatch.js';
import { openRoundAt, snapshotBlockOf } from '../protocol/rounds.js';
import { decodeScheduleWord } from '../protocol/words/scheduleWord.js';
import { SCHEDULE_SLOT } from '../protocol/words/slots.js';
import { InProcessQuorum } from '../test/support/inProcessQuorum.js';
import type { Figure } from './figure.js';
import { settlementFloor } from './gasFloor.js';

const BATCHES = [16, 64, 256, 512] as const;
const PROVIDERS = 8;
/** Long enough for the largest batch's orders to come in within one round. */
const ROUND_BLOCKS = 200;
const OPERATORS = 25;
const SIGNERS = 20;
const TENANTS = 8;

/**
 * Gas of whole settlement transactions on a chain, over their matches, and over the floor of the gas schedule: every match on another
 * machine, which is the dearest case, a certificate of 20 of 25 operators. Throws when a batch did not come together in one round.
 */
export async function benchGas(): Promise<Figure[]> {
  const chain = await startDevnetChain({ mining: 0.125, accounts: 256 });
  try {
    const market = await deployDevnet(chain, { blockTimeMs: 125, roundLengthBlocks: ROUND_BLOCKS });
    const plan = oneDeviceMarket();
    const signingKeys = operatorStakes(OPERATORS).map(() => chain.nextAccount().privateKey);
    const [, populated, tenantLanes] = await Promise.all([
      registerOperators(chain, market, operatorStakes(OPERATORS), signingKeys),
      populateMarket(plan, chain, market),
      fundTenants(plan, chain, market),
    ]);
    await publishOperatorTable(chain, market);
    const { matchPolicy } = market.deployment.contracts;
    const schedule = decodeScheduleWord(await chain.rpc.request(storageAt(matchPolicy, SCHEDULE_SLOT, 'latest')));
    const quorum = new InProcessQuorum({ signingKeys: signingKeys.slice(0, SIGNERS) }, chain, market);
    await quorum.start();
    const figures: Figure[] = [];
    let sent = 0;
    for (const batch of BATCHES) {
      const round = openRoundAt(schedule, chain.blocks.head().number) + 1;
      await chain.blocks.reached(snapshotBlockOf(schedule, round));
      await sendOrders(
        { ...plan, orders: plan.orders.slice(sent, sent + batch) },
        populated.providerIds,
        { chain, market, tenantLanes },
        { spreadBlocks: 1, onPlaced: () => undefined },
      );
      sent += batch;
      await chain.blocks.reached(snapshotBlockOf(schedule, round + 1) + 3);
      const receipt = await quorum.settlements.get(round + 1);
      if (receipt === undefined) throw new Error(`round ${round + 1} with ${batch} orders was not settled`);
      const settlement = settlementIn(receipt, market.deployment, 0);
      if (settlement?.leased.length !== batch) {
        throw new Error(`round ${round + 1} leased ${settlement?.leased.length ?? 0} of ${batch} orders`);
      }
      const target = market.deployment.contracts.matchSettlement;
      const floor = await settlementFloor(chain.rpc, receipt, { target, records: batch, signatures: SIGNERS });
      figures.push(
        {
          name: `gas per match, batch of ${batch}`,
          value: Number(receipt.gasUsed) / batch,
          unit: 'gas',
          setting: `whole transaction of ${receipt.gasUsed} gas, every match on another machine, ${SIGNERS} of ${OPERATORS} signers`,
        },
        {
          name: `floor of the schedule, batch of ${batch}`,
          value: floor / batch,
          unit: 'gas',
          setting: `${floor} gas for the same transaction`,
        },
        {
          name: `gas over the floor, batch of ${batch}`,
          value: Number(receipt.gasUsed) / floor,
          unit: 'x',
          setting: 'same transaction',
        },
      );
    }
    await quorum.stop();
    return figures;
  } finally {
    await chain.stop();
  }
}

/** As many machines with one device as all batches together need, and orders for a whole device. */
function oneDeviceMarket(): MarketPlan {
  const count = BATCHES.reduce((sum, batch) => sum + batch, 0);
  return {
    providers: Array.from({ length: PROVIDERS }, (_, index) => ({
      name: `provider-${index + 1}`,
      hostUri: 'https://provider.example',
      tier: 1,
      attributes: 0n,
      scores: null,
      extraStakeWhole: 1_000 * index,
      reports: [],
    })),
    machines: Array.from({ length: count }, (_, index) => ({
      provider: index % PROVIDERS,
      spec: { model: 1, region: 32, cpuMilli: 16_000, memoryMib: 65_536, storageGib: 1_000, deviceCount: 1 },
      offers: [
        {
          tokenId: 1,
          gpuMicroPerHour: 1_000_000 + index,
          coreMicroPerHour: 4_000,
          memoryGibMicroPerHour: 1_000,
          storageTibMicroPerHour: 28_000,
        },
      ],
    })),
    orders: Array.from({ length: count }, (_, index) => ({
      tenant: index % TENANTS,
      spec: {
        ...ANYTHING,
        milliGpu: 1_000,
        cpuMilli: 8_000,
        memoryMib: 32_768,
        storageGib: 100,
        maxPriceMicroPerHour: 5_000_000,
      },
    })),
    tenantCount: TENANTS,
    modelNames: new Map([[1, 'a10']]),
  };
}
