import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { hexToBigInt, keccak256, numberToHex, type Hex } from 'viem';

import { readParticipation } from '../../chain/operatorRewards/readParticipation.js';
import type { RewardsSubmission } from '../../chain/operatorRewards/readSubmissions.js';
import { verifySubmission } from '../../chain/operatorRewards/verifySubmission.js';
import { createRpc } from '../../chain/rpc/rpc.js';
import { latestBlock } from '../../chain/rpc/rpcCall.js';
import { bn254PublicKey, bn254Sign } from '../../protocol/bn254Key.js';
import { encodeG1, encodeG2 } from '../../protocol/bn254Points.js';
import { operatorPayout } from '../../protocol/rewards/operatorPayout.js';
import { LocalNetwork } from './localNetwork.js';
import { DropConnection } from './rpcProxy.js';

const SCENARIO_MS = 180_000;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start({ roundLengthBlocks: 16, curve: 'bn254' });
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

async function post(body: object): Promise<{ status: number; code: unknown }> {
  const response = await fetch(`${network.aggregator.url}/v1/signatures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { code?: unknown; status?: unknown };
  return { status: response.status, code: answer.code ?? answer.status };
}

/** A point of the curve that is nobody's signature, in the name of operator `victim`; another for each `salt`. */
function garbage(victim: number, salt: number): { signature: Hex; signer: { g1: Hex; g2: Hex } } {
  const { g1, g2 } = bn254PublicKey(hexToBigInt(network.operatorKeys[victim]!.signingKey));
  return {
    signature: encodeG1(bn254Sign(7n, keccak256(numberToHex(salt)))),
    signer: { g1: encodeG1(g1), g2: encodeG2(g2) },
  };
}

test(
  'BN254 operators settle a round in which garbage was posted in the names of two of them before they signed',
  async () => {
    await network.run();
    expect(network.operatorKeys.map(({ signer }) => signer.length)).toEqual([130, 130, 130, 130]);
    // Two that hear nothing of the chain yet: without one of them there is no quorum.
    const late = [1, 2];
    for (const index of late) network.operatorRpc[index]!.script(() => Promise.reject(new DropConnection()));
    const { orderId } = await network.order();
    await network.until('the others to sign', () => network.sink.seen.length > 0);
    // The round stays open for as long as the garbage takes.
    await network.testClient.setIntervalMining({ interval: 0 });
    const { round, batch, records } = network.sink.seen[0]!;
    const [first, second] = late as [number, number];
    // Taken unseen, because signatures wait to be verified together; the aggregator may also still be a block behind.
    const { status, code } = await post({ batch, records, ...garbage(first, 1) });
    expect({ status, isTaken: code === 'counted' || code === 'buffered' }).toEqual({ status: 202, isTaken: true });
    await network.until(
      'the garbage to be found',
      async () =>
        (await network.metric(network.aggregator, 'matchmaker_aggregator_signatures_total', {
          outcome: 'invalid-signature',
        })) > 0,
    );
    // Who posted it is not believed again in this round, and everybody here has the same address.
    expect(await post({ batch, records, ...garbage(second, 2) })).toEqual({ status: 422, code: 'invalid-signature' });
    for (const index of late) network.operatorRpc[index]!.script(undefined);
    await network.testClient.setIntervalMining({ interval: 1 });
    await network.leased(orderId);

    const settlement = (await network.settlements()).find(({ orderIds }) => orderIds.includes(orderId))!;
    expect(settlement).toMatchObject({ round, skipped: 0n });
    const signers = await network.signersOf(settlement);
    expect(late.some((index) => signers.includes(network.operatorKeys[index]!.signer.toLowerCase()))).toBe(true);
    expect(network.evidence()).toEqual([]);
    expect(network.sink.doubleSignatures()).toEqual([]);

    // What operators are paid for is who signed, found by the same keys.
    await network.blocks(2);
    const { deployment, rpcUrl } = network;
    const rpc = createRpc({ url: rpcUrl, requestTimeoutMs: 10_000, chainId: deployment.chainId });
    const { timestamp } = await rpc.request(latestBlock());
    const period = { fromSeconds: timestamp - 3_600, toSeconds: timestamp };
    const { credits, uncountedRounds } = await readParticipation(deployment, period, { rpc, marketRpc: rpc });
    const paid = network.operatorKeys.filter(({ signer }) => signers.includes(signer.toLowerCase()));
    expect(uncountedRounds).toEqual([]);
    expect(credits.map(({ operator, rounds }) => ({ operator, rounds }))).toEqual(
      paid
        .map(({ address }) => ({ operator: address.toLowerCase(), rounds: 1 }))
        .toSorted((a, b) => (a.operator < b.operator ? -1 : 1)),
    );
    const amounts = operatorPayout(10n ** 18n, credits);
    const submission: RewardsSubmission = {
      hash: keccak256('0x'),
      operatorSet: deployment.operatorSet,
      submitter: deployment.operatorSet.avs,
      token: deployment.stakeToken,
      amounts,
      period,
      strategies: [],
      description: 'test',
      blockNumber: 0,
      blockHash: keccak256('0x'),
    };
    const judged = (changed: RewardsSubmission['amounts']) =>
      verifySubmission(deployment, { ...submission, amounts: changed }, { rpc, marketRpc: rpc });
    expect((await judged(amounts)).isCorrect).toBe(true);
    const [most, ...others] = amounts;
    const shifted = [
      { ...most!, amount: most!.amount + 1n },
      { ...others[0]!, amount: others[0]!.amount - 1n },
    ];
    expect((await judged([...shifted, ...others.slice(1)])).isCorrect).toBe(false);
  },
  SCENARIO_MS,
);
