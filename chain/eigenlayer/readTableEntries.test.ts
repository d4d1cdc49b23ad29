import { expect, test } from '@jest/globals';
import { encodeAbiParameters, numberToHex, parseAbiParameters, size, slice } from 'viem';
import type { Hex } from 'viem';
import { bn254PublicKey } from '../../protocol/bn254Key.js';
import { encodeG1 } from '../../protocol/bn254Points.js';
import { unpackTable } from '../../protocol/operatorTable.js';
import { testDeployment } from '../../test/support/testDeployment.js';
import type { Rpc } from '../rpc/rpc.js';
import type { RpcCall } from '../rpc/rpcCall.js';
import { readTableEntries, WeightCountError } from './readTableEntries.js';

const deployment = testDeployment();
const bn254 = { ...deployment, quorum: { ...deployment.quorum, curve: 'bn254' } } as const;
const hash = numberToHex(77, { size: 32 });
const infosParameter = parseAbiParameters('((uint256 X, uint256 Y) pubkey, uint256[] weights)[]');

/** A chain that answers by method, and what it was asked. */
function chainOf(answers: Record<string, unknown>): { rpc: Rpc; asked: unknown[] } {
  const asked: unknown[] = [];
  const rpc = {
    request: async <Answer>(call: RpcCall<Answer>): Promise<Answer> => {
      asked.push([call.method, ...call.params]);
      return call.decode(answers[call.method]);
    },
  } as unknown as Rpc;
  return { rpc, asked };
}

/** The two chains of a BN254 table of block 40, whose operators have these weights. */
function chains(weights: readonly bigint[][]): {
  market: ReturnType<typeof chainOf>;
  stake: ReturnType<typeof chainOf>;
} {
  const infos = weights.map((list, index) => ({
    pubkey: bn254PublicKey(BigInt(index + 1)).g1,
    weights: list,
  }));
  const market = chainOf({ eth_call: numberToHex(40, { size: 32 }) });
  const stake = chainOf({
    eth_getBlockByNumber: {
      number: numberToHex(40),
      hash,
      parentHash: numberToHex(76, { size: 32 }),
      timestamp: '0x1',
      logsBloom: `0x${'00'.repeat(256)}`,
      baseFeePerGas: '0x1',
      gasLimit: '0x1c9c380',
    },
    eth_call: encodeAbiParameters(infosParameter, [infos]),
  });
  return { market, stake };
}

test('an ECDSA table needs no entries, and nobody is asked for them', async () => {
  const { market, stake } = chains([]);
  expect(await readTableEntries(deployment, 5, { rpc: market.rpc, stakeRpc: stake.rpc })).toBe('0x');
  expect([market.asked, stake.asked]).toEqual([[], []]);
});

test('those of a BN254 table come from the calculator at the table’s block of the stake chain', async () => {
  const { market, stake } = chains([[7n], [9n]]);
  const packed = await readTableEntries(bn254, 5, { rpc: market.rpc, stakeRpc: stake.rpc });
  expect(unpackTable('bn254', packed)).toEqual([
    { key: encodeG1(bn254PublicKey(1n).g1), weight: 7n },
    { key: encodeG1(bn254PublicKey(2n).g1), weight: 9n },
  ]);
  const [[, updaterCall]] = market.asked as [[string, { to: Hex; data: Hex }]];
  expect(updaterCall.to).toBe(deployment.eigenlayer.operatorTableUpdater);
  expect(slice(updaterCall.data, size(updaterCall.data) - 1)).toBe('0x05');
  expect(stake.asked).toEqual([
    ['eth_getBlockByNumber', numberToHex(40), false],
    ['eth_call', expect.objectContaining({ to: deployment.stake.calculator }), { blockHash: hash }],
  ]);
});

test('an operator with two weights has no entry', async () => {
  const { market, stake } = chains([[7n], [9n, 1n]]);
  await expect(readTableEntries(bn254, 5, { rpc: market.rpc, stakeRpc: stake.rpc })).rejects.toThrow(WeightCountError);
});
