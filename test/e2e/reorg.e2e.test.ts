import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { OrderState } from '../../protocol/words/orderWord.js';
import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 120_000;
const ROUND_LENGTH = 6;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start({ roundLengthBlocks: ROUND_LENGTH, bidWindowBlocks: 3, mining: 'in-turn' });
  await network.run();
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

/** Replaces the block at `height` and all after it. Blocks go on meanwhile, so that a depth may be one short when it arrives. */
async function replaceFrom(height: number): Promise<void> {
  const hashAt = async () => (await network.publicClient.getBlock({ blockNumber: BigInt(height) })).hash;
  const replaced = await hashAt();
  do {
    const depth = (await network.blockNumber()) - height + 1;
    await network.blockMaker.reorg(depth);
  } while ((await hashAt()) === replaced);
}

test(
  'a reorganisation drops an order: no lease for it; matched when it is included again',
  async () => {
    const first = await network.order();
    await network.leased(first.orderId);

    const dropped = await network.order({ maxPriceMicroPerHour: 8_000_000 });
    await network.until('every operator to have seen the order', async () => {
      const heads = await Promise.all(
        network.operators.map((operator) => network.metric(operator, 'matchmaker_operator_head_block')),
      );
      return heads.every((head) => head >= dropped.blockNumber);
    });
    await replaceFrom(dropped.blockNumber);
    await network.until(
      'the order to be gone',
      async () => (await network.orderState(dropped.orderId)) === OrderState.OPEN - 1,
    );
    await network.blocks(14);
    expect((await network.settlements()).some(({ orderIds }) => orderIds.includes(dropped.orderId))).toBe(false);

    await network.sendRaw(dropped.raw);
    const again = await network.orderOf(dropped.hash);
    await network.leased(again.orderId);
    const holding = (await network.settlements()).filter(({ orderIds }) => orderIds.includes(again.orderId));
    expect(holding).toHaveLength(1);
    expect(holding[0]!.blockNumber).toBeGreaterThan(again.blockNumber);
    for (const operator of network.operators) {
      expect(await network.metric(operator, 'matchmaker_operator_reorgs_total')).toBeGreaterThanOrEqual(1);
    }
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);

test(
  'a reorganisation takes B(r) back after it was signed: no operator signs twice for r',
  async () => {
    // Settlements are held back, so that the round is still open when its snapshot block changes.
    network.aggregatorRpc.script(async ({ method }, forward) =>
      method === 'eth_sendRawTransaction' ? Promise.reject(new Error('held back')) : forward(),
    );
    const { orderId } = await network.order();
    await network.until('a signature', () => network.sink.seen.length > 0);
    // The chain stands still, so that the round whose snapshot block is taken back is the newest however slow anybody is.
    await network.blockMaker.pause();
    const head = await network.blockNumber();
    const ofNewest = () => network.sink.seen.filter(({ batch }) => batch.snapshotBlock + ROUND_LENGTH > head);
    await network.until(
      'all operators to sign the newest round',
      () => new Set(ofNewest().map(({ signer }) => signer)).size === network.operators.length,
    );
    const { round, batch } = ofNewest()[0]!;
    await network.blockMaker.reorg(head - batch.snapshotBlock + 1);
    await network.until('every operator to refuse a second batch of the round', async () => {
      const refused = await Promise.all(
        network.operators.map((operator) =>
          network.metric(operator, 'matchmaker_operator_rounds_abstained_total', { reason: 'DOUBLE_SIGN_REFUSED' }),
        ),
      );
      return refused.every((count) => count >= 1);
    });
    expect(network.sink.doubleSignatures()).toEqual([]);
    expect(network.evidence()).toEqual([]);

    network.blockMaker.resume();
    network.aggregatorRpc.script(undefined);
    await network.leased(orderId);
    const settlements = await network.settlements();
    expect(settlements.map((settlement) => settlement.round)).not.toContain(round);
    expect(settlements.filter(({ orderIds }) => orderIds.includes(orderId))).toHaveLength(1);
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);
