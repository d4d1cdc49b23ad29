import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeDeployData, encodeFunctionData, numberToHex } from 'viem';
import type { Address, Hex } from 'viem';
import { buildMatchBatch } from '../../chain/buildMatchBatch.js';
import { orderWordProofAbi, orderWordProofBytecode } from '../../chain/contracts/generated/OrderWordProof.js';
import { verifyBlockHeader } from '../../chain/rpc/blockHeader.js';
import { accountProof, blockByHash, callAt, storageAt, transactionReceipt } from '../../chain/rpc/rpcCall.js';
import type { AccountProof, Block } from '../../chain/rpc/rpcCall.js';
import { matchRound } from '../../engine/matchRound.js';
import type { MatchBatch } from '../../protocol/matchBatch.js';
import { decodeOpenOrderWord, OrderState, orderStateOf } from '../../protocol/words/orderWord.js';
import { orderSlot } from '../../protocol/words/slots.js';
import { FollowedRounds } from '../support/followedRounds.js';
import { control, MarketChain, TEST_ORDER } from '../support/marketChain.js';

let chain: MarketChain;
let verifier: Address;
/** What operators signed and settlement accepted. */
let batch: MatchBatch;
let block: Block;
let proof: AccountProof;
const slot = orderSlot(1, 0);

beforeAll(async () => {
  chain = await MarketChain.start();
  const { rpc, deployment } = chain;
  const data = encodeDeployData({ abi: orderWordProofAbi, bytecode: orderWordProofBytecode });
  const hash = await rpc.request(control('eth_sendTransaction', [{ from: chain.account(0).account.address, data }]));
  await chain.mine();
  verifier = (await rpc.request(transactionReceipt(hash as Hex)))?.contractAddress ?? '0x';

  await chain.addProvider(0, [1_000_000]);
  const followed = new FollowedRounds({ deployment, factsCheck: 'proof', pollIntervalMs: 5 }, rpc);
  try {
    await followed.follower.start();
    await chain.mined([chain.postOrder()]);
    while (!followed.rounds.some(({ orderIds }) => orderIds.includes(1)))
      await followed.untilBlock((await chain.mine()).number);
    const context = followed.rounds.at(-1)?.context;
    if (context === undefined) throw new Error('no round');
    const domain = { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement };
    const built = buildMatchBatch(context, matchRound(context.snapshot, context.policy, context.seed), domain);
    batch = built.batch;
    await chain.mined([chain.settle(batch, built.recordsHex, built.messageHash)]);
    await chain.mine(3);
  } finally {
    await followed.follower.stop();
  }
  const found = await rpc.request(blockByHash(batch.snapshotHash));
  if (found === null) throw new Error('the snapshot block is gone');
  block = found;
  proof = await rpc.request(accountProof(deployment.contracts.orderRequest, [slot], batch.snapshotHash));
}, 60_000);

afterAll(() => chain.stop());

function prove(change: {
  snapshotHash?: Hex;
  header?: Hex;
  account?: Address;
  accountProof?: readonly Hex[];
  slot?: bigint;
  slotProof?: readonly Hex[];
}): Promise<Hex> {
  const args = [
    change.snapshotHash ?? batch.snapshotHash,
    change.header ?? verifyBlockHeader(block).headerRlp,
    change.account ?? chain.deployment.contracts.orderRequest,
    change.accountProof ?? proof.accountProof,
    change.slot ?? slot,
    change.slotProof ?? proof.storageProof[0]?.proof ?? [],
  ] as const;
  return chain.rpc.request(
    callAt(
      { to: verifier, data: encodeFunctionData({ abi: orderWordProofAbi, functionName: 'wordAt', args }) },
      'latest',
    ),
  );
}

test('an order’s word at a past B(r) is proven on-chain against the signed snapshotHash', async () => {
  const word = BigInt(await prove({}));
  const { orderRequest } = chain.deployment.contracts;
  const [atSnapshot, now] = await chain.rpc.batch([
    storageAt(orderRequest, slot, batch.snapshotHash),
    storageAt(orderRequest, slot, 'latest'),
  ]);
  expect(word).toBe(atSnapshot);
  expect(orderStateOf(word)).toBe(OrderState.OPEN);
  expect(decodeOpenOrderWord(word).maxPriceMicroPerHour).toBe(TEST_ORDER.maxPriceMicroPerHour);
  // Settlement has rewritten the word since: only the proof still tells what the engine read.
  expect(orderStateOf(now)).toBe(OrderState.MATCHED);
});

test('every other hash, header, account, slot or node is refused on-chain', async () => {
  const { headerRlp } = verifyBlockHeader(block);
  const nodes = proof.storageProof[0]?.proof ?? [];
  const flip = (bytes: Hex): Hex => `${bytes.slice(0, -1)}${bytes.endsWith('0') ? '1' : '0'}` as Hex;
  const changes: Parameters<typeof prove>[0][] = [
    { snapshotHash: flip(batch.snapshotHash) },
    { header: flip(headerRlp) },
    { account: chain.deployment.contracts.matchSettlement },
    { accountProof: proof.accountProof.map(flip) },
    { accountProof: proof.accountProof.slice(1) },
    { slot: slot + 1n },
    { slotProof: nodes.map(flip) },
    { slotProof: nodes.slice(0, -1) },
    { slotProof: [] },
  ];
  for (const change of changes) {
    await expect(prove(change)).rejects.toMatchObject({ code: 'RPC_ANSWER' });
  }
  expect(await prove({})).toBe(numberToHex(proof.storageProof[0]?.value ?? 0n, { size: 32 }));
});
