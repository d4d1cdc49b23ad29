import { parseAbi } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { Hex } from 'viem';
import { encodeG1 } from '../../protocol/bn254Points.js';
import { packTable } from '../../protocol/operatorTable.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { blockByNumber } from '../rpc/rpcCall.js';
import { readEigen } from './eigenCall.js';

const updaterAbi = parseAbi([
  'function getReferenceBlockNumberByTimestamp(uint32 referenceTimestamp) view returns (uint32)',
]);
const calculatorAbi = parseAbi([
  'struct OperatorSet { address avs; uint32 id; }',
  'struct G1Point { uint256 X; uint256 Y; }',
  'struct BN254OperatorInfo { G1Point pubkey; uint256[] weights; }',
  'function getOperatorInfos(OperatorSet operatorSet) view returns (BN254OperatorInfo[])',
]);

/** An operator has none or several weights, so this is not a table of one strategy. */
export class WeightCountError extends MatchmakerError<'WEIGHT_COUNT'> {
  constructor(key: string, count: number) {
    super('WEIGHT_COUNT', `operator table: ${key} has ${count} weights instead of one`, { metadata: { key, count } });
  }
}

/**
 * The packed entries that recordTable needs for the table of `timestamp` (seconds): none for ECDSA, whose source has them itself; for
 * BN254, of which only a commitment travels, those of the table calculator at the table's reference block on the stake chain. The
 * contract proves them against the commitment. Throws WeightCountError, WeightTooLargeError and the errors of the RPCs.
 */
export async function readTableEntries(
  deployment: Pick<Deployment, 'quorum' | 'eigenlayer' | 'operatorSet' | 'stake'>,
  timestamp: number,
  dependencies: { readonly rpc: Rpc; readonly stakeRpc: Rpc },
): Promise<Hex> {
  const { quorum, eigenlayer, operatorSet, stake } = deployment;
  if (quorum.curve === 'ecdsa') return '0x';
  const blockNumber = await readEigen(dependencies.rpc, {
    address: eigenlayer.operatorTableUpdater,
    abi: updaterAbi,
    functionName: 'getReferenceBlockNumberByTimestamp',
    args: [timestamp],
  });
  const block = await dependencies.stakeRpc.request(blockByNumber(blockNumber));
  if (block === null) throw new RpcAnswerError(`the stake chain has no block ${blockNumber}`);
  const infos = await readEigen(
    dependencies.stakeRpc,
    { address: stake.calculator, abi: calculatorAbi, functionName: 'getOperatorInfos', args: [operatorSet] },
    block.hash,
  );
  return packTable(
    infos.map(({ pubkey, weights }) => {
      const key = encodeG1(pubkey);
      const [weight] = weights;
      if (weight === undefined || weights.length !== 1) throw new WeightCountError(key, weights.length);
      return { key, weight };
    }),
  );
}
