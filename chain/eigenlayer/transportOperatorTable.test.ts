import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keccak256, stringToHex } from 'viem';
import { certificateDigest, joinSignatures } from '../../protocol/certificate.js';
import { totalWeight } from '../../protocol/operatorTable.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iecdsaCertificateVerifierAbi } from '../contracts/generated/IECDSACertificateVerifier.js';
import { DeployProgress } from '../deploy/deployProgress.js';
import { storedTable } from '../../test/support/storedTable.js';
import { delegateStake } from './delegateStake.js';
import { DelegatedElsewhereError } from './delegateTo.js';
import { deployStakeSide } from './deployStakeSide.js';
import { readEigen, writeEigen } from './eigenCall.js';
import { registerOperator } from './registerOperator.js';
import {
  GENERATOR_KEY,
  stakeSideParameters,
  startStakeChain,
  WHOLE,
  type StakeChain,
} from '../../test/support/stakeChain.js';
import { TableNotNewerError, TableUnavailableError, transportOperatorTable } from './transportOperatorTable.js';

/** Whole tokens of operators 1 to 4; the last has 12 of its own and 8 delegated. */
const STAKE = [30n, 27n, 23n, 20n] as const;
const OWN_STAKE = [30n, 27n, 23n, 12n] as const;
const RESTAKER = 5;
const QUORUM_BPS = 6_667;

let chain: StakeChain;

beforeAll(async () => {
  chain = await startStakeChain();
  for (const [index, stake] of OWN_STAKE.entries()) {
    await chain.fund(chain.lane(index + 1).address, stake * WHOLE);
    await registerOperator(chain.registration(index + 1, stake * WHOLE), {
      lane: chain.lane(index + 1),
      rpc: chain.rpc,
    });
  }
  await chain.fund(chain.lane(RESTAKER).address, 8n * WHOLE);
}, 60_000);

afterAll(() => chain?.stop());

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
}

async function transport(generatorKey = GENERATOR_KEY, operatorSet = chain.stakeSide.operatorSet) {
  const { eigenlayer } = chain;
  await nextSecond();
  return transportOperatorTable({ eigenlayer, operatorSet, generatorKey }, { lane: chain.lane(0), rpc: chain.rpc });
}

/** Mines a block that is at least a second newer than the one before. */
async function nextSecond(): Promise<void> {
  await command('evm_increaseTime', [1]);
  await command('evm_mine', []);
}

async function command(method: string, params: readonly unknown[]): Promise<void> {
  await chain.rpc.request({ method, params, decode: String });
}

/** Whether the verifier on the chain sees the quorum reached by these operators (1 to 4). */
async function reaches(operators: readonly number[], referenceTimestamp: number): Promise<boolean> {
  const verifier = chain.eigenlayer.ecdsaCertificateVerifier;
  const messageHash = keccak256(stringToHex('a batch'));
  const digest = certificateDigest({ verifier, referenceTimestamp, messageHash });
  const signatures = await Promise.all(
    operators.map(async (index) => {
      const { account } = chain.account(index + 100);
      return { signer: account.address, signature: await account.sign({ hash: digest }) };
    }),
  );
  const [reached, signers] = await readEigen(chain.rpc, {
    address: verifier,
    abi: iecdsaCertificateVerifierAbi,
    functionName: 'verifyCertificateProportion',
    args: [
      chain.stakeSide.operatorSet,
      { referenceTimestamp, messageHash, sig: joinSignatures(signatures) },
      [QUORUM_BPS],
    ],
  });
  expect(signers).toHaveLength(operators.length);
  return reached;
}

test('without a transport there is no table', async () => {
  const { eigenlayer, stakeSide, rpc } = chain;
  expect(await storedTable({ eigenlayer, operatorSet: stakeSide.operatorSet }, { rpc })).toBeNull();
});

test('stake delegated to an operator stands behind it, and behind no other', async () => {
  const delegation = {
    eigenlayer: chain.eigenlayer,
    strategy: chain.strategy,
    stakeToken: chain.stakeToken,
    amount: 4n * WHOLE,
  };
  const dependencies = { lane: chain.lane(RESTAKER), rpc: chain.rpc };
  await delegateStake({ ...delegation, operator: chain.lane(4).address }, dependencies);
  await delegateStake({ ...delegation, operator: chain.lane(4).address }, dependencies);
  const shares = await readEigen(chain.rpc, {
    address: chain.eigenlayer.delegationManager,
    abi: iDelegationManagerAbi,
    functionName: 'getOperatorShares',
    args: [chain.lane(4).address, [chain.strategy]],
  });
  expect(shares).toEqual([20n * WHOLE]);
  const error = await refusal(delegateStake({ ...delegation, operator: chain.lane(1).address }, dependencies));
  expect(error).toBeInstanceOf(DelegatedElsewhereError);
});

test('the table arrives with every key and weight, and certificates of the quorum pass on the chain', async () => {
  const transported = await transport();
  const { eigenlayer } = chain;
  const { operatorSet } = chain.stakeSide;
  const table = (await storedTable({ eigenlayer, operatorSet }, { rpc: chain.rpc }))!;
  expect(transported).toMatchObject({ operatorSetIndex: 0, skipped: [] });
  expect(table.referenceTimestamp).toBe(transported.referenceTimestamp);
  expect(table.maxStalenessSeconds).toBe(3_600);
  expect(totalWeight(table.entries)).toBe(100n * WHOLE);
  expect(table.entries).toEqual(
    STAKE.map((stake, index) => ({
      key: chain.account(index + 101).account.address.toLowerCase(),
      weight: stake * WHOLE,
    })),
  );

  for (const operators of [
    [1, 2, 3],
    [1, 2, 4],
    [1, 3, 4],
    [2, 3, 4],
    [1, 2, 3, 4],
  ]) {
    expect(await reaches(operators, table.referenceTimestamp)).toBe(true);
  }
  for (const operators of [[1], [1, 2], [3, 4]]) {
    expect(await reaches(operators, table.referenceTimestamp)).toBe(false);
  }
});

test('a key outside the table fails the whole certificate', async () => {
  const { referenceTimestamp } = await transport();
  await expect(reaches([1, 2, 3, 4, 6], referenceTimestamp)).rejects.toMatchObject({ errorName: 'VerificationFailed' });
});

test('each transport names a later table and the earlier one stays valid', async () => {
  const first = await transport();
  const second = await transport();
  expect(second.referenceTimestamp).toBeGreaterThan(first.referenceTimestamp);
  expect(await reaches([1, 2, 3], first.referenceTimestamp)).toBe(true);
  expect(await reaches([1, 2, 3], second.referenceTimestamp)).toBe(true);
});

test('a chain that has not moved on since the last root is to be asked again later', async () => {
  const { eigenlayer } = chain;
  const { operatorSet } = chain.stakeSide;
  const transportNow = () =>
    transportOperatorTable(
      { eigenlayer, operatorSet, generatorKey: GENERATOR_KEY },
      { lane: chain.lane(0), rpc: chain.rpc },
    );
  await nextSecond();
  await command('anvil_setBlockTimestampInterval', [0]);
  try {
    await transportNow();
    const error = await refusal(transportNow());
    expect(error).toBeInstanceOf(TableNotNewerError);
    expect(error).toMatchObject({ retryable: true });
  } finally {
    await command('anvil_removeBlockTimestampInterval', []);
  }
  await transport();
});

test('a root signed by another key is refused by the verifier', async () => {
  expect(await refusal(transport(GENERATOR_KEY + 1n))).toMatchObject({
    code: 'EIGEN_CALL_REVERTED',
    errorName: 'VerificationFailed',
  });
});

test('a set without reservation has no table', async () => {
  const error = await refusal(transport(GENERATOR_KEY, { ...chain.stakeSide.operatorSet, id: 99 }));
  expect(error).toBeInstanceOf(TableUnavailableError);
});

test('a set whose calculator fails is left out of the root and shifts the sets behind it', async () => {
  const { eigenlayer, strategy } = chain;
  const newSet = async (index: number) => {
    const lane = chain.lane(index);
    const set = { avs: lane.address, id: 0 };
    const { chainId } = chain.anvil;
    const progress = DeployProgress.inMemory({ chainId, deployer: lane.address, firstBlock: 0 });
    await deployStakeSide(stakeSideParameters({ chainId, eigenlayer, operatorSet: set, stake: { strategy } }), {
      lane,
      rpc: chain.rpc,
      progress,
    });
    return set;
  };
  const broken = await newSet(7);
  await writeEigen(chain.lane(7), {
    address: eigenlayer.crossChainRegistry,
    abi: iCrossChainRegistryAbi,
    functionName: 'setOperatorTableCalculator',
    args: [broken, strategy],
  });
  const operatorSet = await newSet(8);
  const transported = await transport(GENERATOR_KEY, operatorSet);
  expect(transported).toMatchObject({ operatorSetIndex: 1, skipped: [broken] });
  expect(await storedTable({ eigenlayer, operatorSet }, { rpc: chain.rpc })).toEqual({
    referenceTimestamp: transported.referenceTimestamp,
    maxStalenessSeconds: 3_600,
    entries: [],
  });
  expect(await refusal(transport(GENERATOR_KEY, broken))).toBeInstanceOf(TableUnavailableError);
  // Tables carry no time, so equal stakes make the same root again.
  expect((await transport()).globalTableRoot).toBe(transported.globalTableRoot);
});
