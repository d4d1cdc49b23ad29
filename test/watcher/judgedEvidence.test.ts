import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeFunctionResult, encodeDeployData, encodeFunctionData, size, zeroAddress } from 'viem';
import type { Address, Hex } from 'viem';
import { buildMatchBatch } from '../../chain/buildMatchBatch.js';
import { faultJudgeAbi, faultJudgeBytecode } from '../../chain/contracts/generated/FaultJudge.js';
import type { SettleCall } from '../../chain/quorum/findSettleCalls.js';
import { callAt, storageAt, transactionReceipt } from '../../chain/rpc/rpcCall.js';
import type { RoundContext } from '../../chain/sync/roundFollower.js';
import { matchRound } from '../../engine/matchRound.js';
import type { MatchRecord } from '../../engine/record.js';
import { plantFault, type PlantedKind } from '../../engine/reference/plantFault.js';
import { encodeCertificate, quorumDigest } from '../../protocol/certificate.js';
import { FAULT_NUMBERS } from '../../protocol/evidence/evidenceAbi.js';
import { policyStructOf } from '../../protocol/policyStruct.js';
import { fromRoundAt, snapshotBlockOf } from '../../protocol/rounds.js';
import { decodeScheduleWord } from '../../protocol/words/scheduleWord.js';
import { SCHEDULE_SLOT } from '../../protocol/words/slots.js';
import { auditSettled, buildBatchCase } from '../../watcher/batchCase.js';
import type { FaultCase } from '../../watcher/caseStore.js';
import { keepRound } from '../../watcher/keptRound.js';
import { FollowedRounds } from '../support/followedRounds.js';
import { control, MarketChain } from '../support/marketChain.js';

const WINDOW_SECONDS = 1_000_000;

let chain: MarketChain;
let judge: Address;
let context: RoundContext;

beforeAll(async () => {
  chain = await MarketChain.start({ operatorWeights: [40n, 35n, 25n] });
  await chain.addProvider(0, [2_000_000, 1_000_000]);
  await chain.addProvider(1, [1_500_000, 1_000_000]);
  await chain.fundProvider(1, 10n ** 12n);
  const post = [
    chain.postOrder(),
    chain.postOrder({ providersExcluded: [1] }),
    chain.postOrder({ milliGpu: 500 }),
    chain.postOrder({ milliGpu: 0, cpuMilli: 40_000 }),
    chain.postOrder({ milliGpu: 0, cpuMilli: 40_000 }),
    chain.postOrder({ milliGpu: 4000 }),
    chain.postOrder({ milliGpu: 3000 }),
    chain.postOrder({ regionsExcluded: [40] }),
    chain.postOrder({ maxPriceMicroPerHour: 900_000 }),
    chain.postOrder({ tokenId: 1, models: [8] }),
    chain.postOrder(),
  ];
  const deployed = await deployJudge(post);
  judge = deployed;
  await chain.mined([chain.placeBid(1, 1, 3, 900_000), chain.cancelOrder(11)]);
  context = await nextRound();
}, 120_000);

afterAll(() => chain.stop());

async function deployJudge(others: readonly Promise<Hex>[]): Promise<Address> {
  const { deployment, rpc } = chain;
  const { matchSettlement, providerRegistry, orderRequest } = deployment.contracts;
  const terms = {
    marketChainId: BigInt(deployment.chainId),
    settlement: matchSettlement,
    providerRegistry,
    orderRequest,
    certificateVerifier: deployment.quorum.certificateVerifier,
    keyRegistrar: zeroAddress,
    operatorSet: deployment.operatorSet,
    curve: 1,
    challengeWindowSeconds: WINDOW_SECONDS,
  };
  const data = encodeDeployData({ abi: faultJudgeAbi, bytecode: faultJudgeBytecode, args: [terms] });
  const from = chain.account(0).account.address;
  const hash = (await rpc.request(control('eth_sendTransaction', [{ from, data, gas: '0xe4e1c0' }]))) as Hex;
  await chain.mined(others);
  const receipt =
    (await rpc.request(transactionReceipt(hash))) ?? (await chain.mine(), await rpc.request(transactionReceipt(hash)));
  if (receipt?.contractAddress == null || !receipt.succeeded) throw new Error('the judge was not deployed');
  return receipt.contractAddress;
}

/** The next round that closes, copied out of the live market. */
async function nextRound(): Promise<RoundContext> {
  const contexts: RoundContext[] = [];
  const followed = new FollowedRounds(
    { deployment: chain.deployment, factsCheck: 'storage', pollIntervalMs: 5 },
    chain.rpc,
    (delivered) => contexts.push(keepRound(delivered, chain.deployment).context),
  );
  await followed.follower.start();
  const schedule = decodeScheduleWord(
    await chain.rpc.request(storageAt(chain.deployment.contracts.matchPolicy, SCHEDULE_SLOT, 'latest')),
  );
  const { number } = await chain.mine(2);
  await followed.untilBlock(number);
  const round = fromRoundAt(schedule, number + 1);
  await chain.mineTo(snapshotBlockOf(schedule, round));
  await followed.untilRound(round);
  await followed.follower.stop();
  return contexts.find((kept) => kept.round === round)!;
}

/** What settlement would have been called with, had all operators signed these records. */
async function signedBy(records: readonly MatchRecord[], positions = [0, 1, 2]): Promise<SettleCall> {
  const { deployment } = chain;
  const domain = { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement };
  const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, domain);
  const hash = quorumDigest(deployment.quorum, { referenceTimestamp: context.table.timestamp, messageHash });
  const votes = await Promise.all(
    positions.map(async (position) => {
      const { account } = chain.operators[position]!;
      return { signer: account.address, signature: await account.sign({ hash }) };
    }),
  );
  const certificate = encodeCertificate(deployment.quorum, context.table.entries, votes);
  return { messageHash, batch, policy: policyStructOf(context.policy), records: recordsHex, certificate };
}

async function caseOf(call: SettleCall): Promise<FaultCase> {
  const dependencies = {
    deployment: chain.deployment,
    rpc: chain.rpc,
    nowMs: () => 0,
    randomSalt: (): Hex => `0x${'5a'.repeat(32)}`,
  };
  const findings = await auditSettled(context, call, dependencies);
  return buildBatchCase(context, call, findings, dependencies);
}

async function judged(proof: FaultCase['proofs'][number]) {
  const args = [FAULT_NUMBERS[proof.fault], proof.evidence] as const;
  const data = encodeFunctionData({ abi: faultJudgeAbi, functionName: 'judge', args });
  const answer = await chain.rpc.request(callAt({ to: judge, data }, 'latest'));
  return decodeFunctionResult({ abi: faultJudgeAbi, functionName: 'judge', data: answer });
}

function plant(kind: PlantedKind): MatchRecord[] {
  const { snapshot, policy, seed } = context;
  const records = plantFault(kind, { snapshot, policy, seed, nextOrderId: 12, choose: () => 0 });
  if (records === undefined) throw new Error(`the market has no room for ${kind}`);
  return records;
}

describe('the real judge', () => {
  test.each<[PlantedKind, FaultCase['proofs'][number]['fault'], number]>([
    ['worseMachine', 'betterCandidate', 1],
    ['providerExcluded', 'wrongRecord', 2],
    ['gpuModel', 'wrongRecord', 10],
    ['regionExcluded', 'wrongRecord', 8],
    ['cpu', 'wrongRecord', 5],
    ['devices', 'wrongRecord', 7],
    ['wrongPrice', 'wrongRecord', 1],
    ['wrongSource', 'wrongRecord', 1],
    ['wrongResources', 'wrongRecord', 1],
    ['wrongDevices', 'wrongRecord', 1],
    ['wrongToken', 'wrongRecord', 1],
    ['wrongProvider', 'wrongRecord', 1],
    ['omittedOrder', 'omittedOrder', 1],
    ['unknownOrder', 'unknownName', 0],
    ['unknownMachine', 'unknownName', 1],
    ['unknownOffer', 'unknownName', 1],
    ['unknownBid', 'unknownName', 1],
  ])('follows every proof of %s', async (kind, fault, orderId) => {
    const call = await signedBy(plant(kind));
    const { proofs, victims } = await caseOf(call);
    expect(proofs.length).toBeGreaterThan(0);
    for (const proof of proofs) {
      const verdict = await judged(proof);
      expect(verdict).toMatchObject({
        messageHash: call.messageHash,
        orderId: proof.orderId,
        fault: FAULT_NUMBERS[proof.fault],
      });
      expect(size(verdict.signers)).toBe(3 * 20);
      if (proof.orderId !== 0) expect(victims.map((victim) => victim.orderId)).toContain(proof.orderId);
    }
    expect(proofs).toContainEqual(expect.objectContaining({ fault, ...(orderId === 0 ? {} : { orderId }) }));
  });

  test('follows a proof that an order was not eligible, from the order alone', async () => {
    const honest = matchRound(context.snapshot, context.policy, context.seed);
    const offered = honest.find(({ fromBid }) => !fromBid);
    const records = [...honest, { ...offered!, orderId: 11 }];
    const { proofs } = await caseOf(await signedBy(records));
    expect(proofs[0]).toMatchObject({ fault: 'wrongRecord', orderId: 11, words: 1 });
    expect(await judged(proofs[0]!)).toMatchObject({ orderId: 11, tokenId: 1 });
  });

  test('names only those who signed', async () => {
    const { proofs } = await caseOf(await signedBy(plant('wrongPrice'), [2, 0, 1]));
    const verdict = await judged(proofs[0]!);
    expect(verdict.positions).toBe(0b111n);
    const twoThirds = await caseOf(await signedBy(plant('wrongPrice'), [0, 1]));
    expect(await judged(twoThirds.proofs[0]!)).toMatchObject({ positions: 0b011n });
  });

  test('shows the tenant of the order by the words that the case keeps', async () => {
    const call = await signedBy(plant('omittedOrder'));
    const { victims } = await caseOf(call);
    const [victim] = victims;
    const snapshot = { header: victim!.header, registryAccount: [], ordersAccount: victim!.ordersAccount };
    const args = [call.batch.snapshotHash, victim!.orderId, snapshot, victim!.ownerWord] as const;
    const data = encodeFunctionData({ abi: faultJudgeAbi, functionName: 'victimOf', args });
    const answer = await chain.rpc.request(callAt({ to: judge, data }, 'latest'));
    const { tenant } = decodeFunctionResult({ abi: faultJudgeAbi, functionName: 'victimOf', data: answer });
    expect(tenant).toBe(chain.account(2).account.address);
  });

  test('has nothing to prove in the honest batch', async () => {
    const call = await signedBy(matchRound(context.snapshot, context.policy, context.seed));
    expect(await auditSettled(context, call, { deployment: chain.deployment, rpc: chain.rpc })).toEqual([]);
  });
});
