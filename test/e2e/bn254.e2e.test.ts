import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { hexToBigInt, keccak256, numberToHex, type Hex } from 'viem';

import { bn254PublicKey, bn254Sign } from '../../protocol/bn254Key.js';
import { encodeG1, encodeG2 } from '../../protocol/bn254Points.js';
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
    await network.leased(orderId);

    const settlement = (await network.settlements()).find(({ orderIds }) => orderIds.includes(orderId))!;
    expect(settlement).toMatchObject({ round, skipped: 0n });
    const signers = await network.signersOf(settlement);
    expect(late.some((index) => signers.includes(network.operatorKeys[index]!.signer.toLowerCase()))).toBe(true);
    expect(network.evidence()).toEqual([]);
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);
