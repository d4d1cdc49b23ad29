import { encodeAbiParameters, encodeEventTopics, encodeFunctionData, keccak256, toHex, type Hex } from 'viem';
import { expect, test } from '@jest/globals';

import { loadDefaultPolicy } from '../../devnet/parameters.js';
import { hashMatchBatch, type MatchBatch } from '../../protocol/matchBatch.js';
import { hashPolicy } from '../../protocol/policyHash.js';
import { policyStructOf } from '../../protocol/policyStruct.js';
import { hashRecords } from '../../protocol/records.js';
import { answeringRpc, hash, quantity } from '../../test/support/answeringRpc.js';
import { testDeployment } from '../../test/support/testDeployment.js';
import { matchSettlementAbi } from '../contracts/generated/MatchSettlement.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import { readSettledBatch } from './settledBatch.js';

const BLOCK = hash(9);
const TRANSACTION = keccak256(toHex('transaction'));
const SOMEBODY = '0x00000000000000000000000000000000000000b0';
const RECORDS: Hex = `0x${'07'.repeat(32)}`;

const deployment = testDeployment();
const settlement = deployment.contracts.matchSettlement;
const policy = loadDefaultPolicy();
const batch: MatchBatch = {
  round: 5,
  snapshotBlock: 8,
  snapshotHash: hash(8),
  policyHash: hashPolicy(policy),
  operatorSetKey: hash(1),
  tableTimestamp: 1_700_000_000,
  tableHash: hash(2),
  recordsHash: hashRecords(RECORDS),
  matchCount: 1,
};
const messageHash = hashMatchBatch(batch, { chainId: deployment.chainId, settlement });
const settleInput = encodeFunctionData({
  abi: matchSettlementAbi,
  functionName: 'settle',
  args: [
    { ...batch, round: BigInt(batch.round), snapshotBlock: BigInt(batch.snapshotBlock) },
    policyStructOf(policy),
    RECORDS,
    '0x1234',
  ],
});

/** A node with one settlement in the block, in a transaction with this call data; without a trace, one that does not trace. */
function node(input: Hex, trace?: object) {
  let traced = 0;
  const rpc = answeringRpc({
    eth_getLogs: () => [
      {
        address: settlement,
        topics: encodeEventTopics({
          abi: matchSettlementAbi,
          eventName: 'BatchSettled',
          args: { round: 5n, messageHash },
        }),
        data: encodeAbiParameters([{ type: 'bytes' }, { type: 'uint256[]' }, { type: 'uint256[]' }], [RECORDS, [], []]),
        blockNumber: quantity(9),
        blockHash: BLOCK,
        transactionHash: TRANSACTION,
        logIndex: '0x0',
        removed: false,
      },
    ],
    eth_getTransactionByHash: () => ({ hash: TRANSACTION, blockHash: BLOCK, from: SOMEBODY, input }),
    debug_traceTransaction: (params) => {
      traced++;
      expect(params[0]).toBe(TRANSACTION);
      if (trace === undefined)
        throw new RpcAnswerError('the method debug_traceTransaction does not exist', { rpcCode: -32_601 });
      return trace;
    },
  });
  return { rpc, traced: () => traced };
}

test('what the call data shows is not traced', async () => {
  const { rpc, traced } = node(settleInput);
  expect(await readSettledBatch(deployment, rpc, BLOCK, messageHash)).toMatchObject({ messageHash, records: RECORDS });
  expect(traced()).toBe(0);
});

test('a call that a contract made up is found in the trace, at any depth', async () => {
  const frame = (to: string, input: Hex, calls: object[] = []): object => ({ type: 'CALL', to, input, calls });
  const inner = frame(settlement.toUpperCase().replace('0X', '0x'), settleInput);
  const trace = frame(SOMEBODY, '0x01', [
    frame(settlement, '0x5e771e00'),
    frame(SOMEBODY, settleInput),
    frame(SOMEBODY, '0x02', [inner]),
  ]);
  const { rpc, traced } = node('0x01', trace);
  expect(await readSettledBatch(deployment, rpc, BLOCK, messageHash)).toMatchObject({
    messageHash,
    batch,
    records: RECORDS,
  });
  expect(traced()).toBe(1);
  // Calls of other contracts are no settlements, whatever their data say.
  const elsewhere = node('0x01', frame(SOMEBODY, settleInput));
  expect(await readSettledBatch(deployment, elsewhere.rpc, BLOCK, messageHash)).toBeUndefined();
});

test('of a node that does not trace nothing is learnt, and of a block without that message neither', async () => {
  expect(await readSettledBatch(deployment, node('0x01').rpc, BLOCK, messageHash)).toBeUndefined();
  expect(await readSettledBatch(deployment, node(settleInput).rpc, BLOCK, hash(3))).toBeUndefined();
});
