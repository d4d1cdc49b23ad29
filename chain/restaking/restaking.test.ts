import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeFunctionData, erc20Abi, zeroAddress, zeroHash, type Address, type Hex } from 'viem';
import { control } from '../../test/support/marketChain.js';
import { startStakeChain, WHOLE, type StakeChain } from '../../test/support/stakeChain.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { approveDelegation, NotApproverError } from '../eigenlayer/approveDelegation.js';
import { TokenBalanceError } from '../eigenlayer/approveToken.js';
import { completeWithdrawals } from '../eigenlayer/completeWithdrawals.js';
import {
  ApprovalNeededError,
  delegateTo,
  DelegatedElsewhereError,
  NotAnOperatorError,
} from '../eigenlayer/delegateTo.js';
import { depositStake } from '../eigenlayer/depositStake.js';
import { EigenCallRevertedError, readEigen, writeEigen } from '../eigenlayer/eigenCall.js';
import { leaveOperatorSet } from '../eigenlayer/leaveOperatorSet.js';
import { queueWithdrawal } from '../eigenlayer/queueWithdrawal.js';
import { readToken } from '../eigenlayer/readToken.js';
import { registerOperator } from '../eigenlayer/registerOperator.js';
import { undelegate } from '../eigenlayer/undelegate.js';
import { latestBlock } from '../rpc/rpcCall.js';
import { readRestaker } from './readRestaker.js';
import { readRisk } from './readRisk.js';

/** Accounts by index. */
const OPERATOR = 1;
const PICKY_OPERATOR = 2;
const RESTAKER = 5;
const APPROVER = 6;

let chain: StakeChain;

beforeAll(async () => {
  chain = await startStakeChain();
  for (const index of [OPERATOR, PICKY_OPERATOR]) {
    await chain.fund(chain.lane(index).address, 50n * WHOLE);
    await registerOperator(
      { ...chain.registration(index, 50n * WHOLE), magnitude: WHOLE / 2n },
      { lane: chain.lane(index), rpc: chain.rpc },
    );
  }
  await writeEigen(chain.lane(PICKY_OPERATOR), {
    address: chain.eigenlayer.delegationManager,
    abi: iDelegationManagerAbi,
    functionName: 'modifyOperatorDetails',
    args: [chain.lane(PICKY_OPERATOR).address, chain.lane(APPROVER).address],
  });
  await chain.fund(chain.lane(RESTAKER).address, 150n * WHOLE);
}, 120_000);

afterAll(() => chain?.stop());

/** What the actions and readings take of a deployment. */
function deployment() {
  const { eigenlayer, stakeSide, strategy, stakeToken } = chain;
  const { operatorSet, ...contracts } = stakeSide;
  const stake = { ...contracts, chainId: 31_337, deploymentBlock: 0, blockTimeMs: 1_000 };
  return { eigenlayer, operatorSet, strategy, stakeToken, stake, quorum: ECDSA };
}

const ECDSA = {
  curve: 'ecdsa',
  checkedBy: 'table',
  verifier: zeroAddress,
  certificateVerifier: zeroAddress,
} as const;

const dependencies = (index: number) => ({ lane: chain.lane(index), rpc: chain.rpc });
const restaker = () => readRestaker(deployment(), chain.rpc, chain.lane(RESTAKER).address);
const mine = (blocks: number) => chain.rpc.request(control('anvil_mine', [`0x${blocks.toString(16)}`]));
const tokenBalance = () =>
  readEigen(chain.rpc, {
    address: chain.stakeToken,
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [chain.lane(RESTAKER).address],
  });

/** Slashes an operator as the set's slasher would, by a share of what it allocates. */
async function slash(operator: Address, wad: bigint): Promise<void> {
  const { operatorSet, slasher } = chain.stakeSide;
  await chain.rpc.batch([
    control('anvil_impersonateAccount', [slasher]),
    control('anvil_setBalance', [slasher, '0x56bc75e2d63100000']),
  ]);
  const data = encodeFunctionData({
    abi: iAllocationManagerAbi,
    functionName: 'slashOperator',
    args: [
      operatorSet.avs,
      {
        operator,
        operatorSetId: operatorSet.id,
        strategies: [chain.strategy],
        wadsToSlash: [wad],
        description: 'test',
      },
    ],
  });
  const before = await slashCount();
  await chain.rpc.request(
    control('eth_sendTransaction', [{ from: slasher, to: chain.eigenlayer.allocationManager, data }]),
  );
  expect(await slashCount()).toBe(before + 1n);
}

const slashCount = () =>
  readEigen(chain.rpc, {
    address: chain.eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'getSlashCount',
    args: [chain.stakeSide.operatorSet],
  });

async function refusal(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a deposit of more than there is is refused before anything is sent', async () => {
  const lane = chain.lane(RESTAKER);
  const nonce = await lane.nextNonce();
  const error = await refusal(depositStake({ ...deployment(), amount: 151n * WHOLE }, dependencies(RESTAKER)));
  expect(error).toBeInstanceOf(TokenBalanceError);
  expect(await lane.nextNonce()).toBe(nonce);
});

test('deposited stake stands behind nobody until it is delegated', async () => {
  const { shares } = await depositStake({ ...deployment(), amount: 100n * WHOLE }, dependencies(RESTAKER));
  expect(shares).toBe(100n * WHOLE);
  expect(await readToken(chain.rpc, chain.stakeToken)).toMatchObject({ symbol: 'STK', decimals: 18 });
  expect(await restaker()).toMatchObject({
    operator: null,
    isOperator: false,
    slashability: null,
    exposed: [],
    leaving: [],
    withdrawalDelayBlocks: 10,
    stake: [{ depositShares: 100n * WHOLE, withdrawableShares: 100n * WHOLE, withdrawableTokens: 100n * WHOLE }],
  });
});

test('only operators can be delegated to, and one with an approver only with its consent', async () => {
  const [lane, picky] = [chain.lane(RESTAKER), chain.lane(PICKY_OPERATOR).address];
  const nobody = chain.lane(9).address;
  expect(await refusal(delegateTo({ ...deployment(), operator: nobody }, dependencies(RESTAKER)))).toBeInstanceOf(
    NotAnOperatorError,
  );
  expect(await refusal(delegateTo({ ...deployment(), operator: picky }, dependencies(RESTAKER)))).toBeInstanceOf(
    ApprovalNeededError,
  );
  const salt: Hex = `0x${'5a'.repeat(32)}`;
  const request = {
    ...deployment(),
    restaker: lane.address,
    operator: picky,
    expirySeconds: (await chain.rpc.request(latestBlock())).timestamp + 3_600,
    salt,
  };
  const stranger = { account: chain.account(RESTAKER).account, rpc: chain.rpc };
  expect(await refusal(approveDelegation(request, stranger))).toBeInstanceOf(NotApproverError);
  const approval = await approveDelegation(request, { account: chain.account(APPROVER).account, rpc: chain.rpc });
  const other = await refusal(
    delegateTo({ ...deployment(), operator: picky, approval: { ...approval, salt: zeroHash } }, dependencies(RESTAKER)),
  );
  expect(other).toBeInstanceOf(EigenCallRevertedError);
  await delegateTo({ ...deployment(), operator: picky, approval }, dependencies(RESTAKER));
  expect(await restaker()).toMatchObject({ operator: picky, slashability: { state: 'member' } });
});

test('undelegating queues all stake, which comes back as shares after the delay', async () => {
  const { withdrawals } = await undelegate(deployment(), dependencies(RESTAKER));
  expect(withdrawals).toHaveLength(1);
  const { leaving, exposed, operator } = await restaker();
  expect(operator).toBeNull();
  const [row] = leaving;
  expect(row).toMatchObject({ root: withdrawals[0]?.root, isCompletable: false });
  expect(row?.completableFromBlock).toBe((row?.withdrawal.startBlock ?? 0) + 11);
  // Half of the operator's stake is allocated, and leaving stake is still behind it.
  expect(exposed).toMatchObject([{ shares: 0n, leavingShares: 50n * WHOLE }]);
  const early = await refusal(
    completeWithdrawals(
      { ...deployment(), withdrawals: leaving.map(({ withdrawal }) => withdrawal), asTokens: false },
      dependencies(RESTAKER),
    ),
  );
  expect(early).toMatchObject({
    errorName: 'WithdrawalDelayNotElapsed',
    fix: expect.stringContaining('restake status'),
  });
  await mine(11);
  const due = await restaker();
  expect(due.leaving).toMatchObject([{ isCompletable: true }]);
  expect(due.exposed).toEqual([]);
  await completeWithdrawals(
    { ...deployment(), withdrawals: due.leaving.map(({ withdrawal }) => withdrawal), asTokens: false },
    dependencies(RESTAKER),
  );
  expect(await restaker()).toMatchObject({ leaving: [], stake: [{ withdrawableShares: 100n * WHOLE }] });
});

test('a slash takes its share of what is delegated and of what is leaving', async () => {
  const operator = chain.lane(OPERATOR).address;
  expect(await delegateTo({ ...deployment(), operator }, dependencies(RESTAKER))).not.toBeNull();
  expect(await delegateTo({ ...deployment(), operator }, dependencies(RESTAKER))).toBeNull();
  const elsewhere = delegateTo(
    { ...deployment(), operator: chain.lane(PICKY_OPERATOR).address },
    dependencies(RESTAKER),
  );
  expect(await refusal(elsewhere)).toBeInstanceOf(DelegatedElsewhereError);
  await queueWithdrawal({ ...deployment(), depositShares: 40n * WHOLE }, dependencies(RESTAKER));
  expect((await restaker()).exposed).toMatchObject([{ operator, shares: 30n * WHOLE, leavingShares: 20n * WHOLE }]);

  // Half of the half that is allocated: a quarter of all stake.
  await slash(operator, WHOLE / 2n);
  const slashed = await restaker();
  expect(slashed.stake).toMatchObject([{ depositShares: 60n * WHOLE, withdrawableShares: 45n * WHOLE }]);
  expect(slashed.leaving).toMatchObject([{ strategies: [{ shares: 30n * WHOLE, tokens: 30n * WHOLE }] }]);
  // A quarter of 1e18 is left allocated, of the three quarters that are left in all.
  expect(slashed.exposed).toMatchObject([
    { magnitude: WHOLE / 4n, maxMagnitude: (WHOLE * 3n) / 4n, shares: 15n * WHOLE, leavingShares: 10n * WHOLE },
  ]);

  await mine(11);
  const before = await tokenBalance();
  const due = (await restaker()).leaving.map(({ withdrawal }) => withdrawal);
  await completeWithdrawals({ ...deployment(), withdrawals: due, asTokens: true }, dependencies(RESTAKER));
  expect((await tokenBalance()) - before).toBe(30n * WHOLE);
});

test('the risk names slasher, delays, slashes and who has what at stake', async () => {
  const operator = chain.lane(OPERATOR).address;
  const risk = await readRisk(deployment(), chain.rpc, { observed: null });
  expect(risk.terms).toMatchObject({
    slasher: expect.stringMatching(new RegExp(chain.stakeSide.slasher, 'i')),
    slasherTerms: {
      conditions: [
        { fault: 'Equivocation', wad: WHOLE / 20n },
        ...['WrongRecord', 'BetterCandidate', 'UnknownName', 'OmittedOrder'].map((fault) => ({
          fault,
          wad: WHOLE / 2n,
        })),
      ],
      challengerBps: 1_000,
      victimBps: 2_500,
    },
    pendingSlasher: null,
    isRedistributing: true,
    deallocationDelayBlocks: 10,
    withdrawalDelayBlocks: 10,
    window: { shortfallSeconds: expect.any(Number) },
  });
  expect(risk.slashes).toMatchObject([
    { operator, parts: [{ strategy: expect.anything(), wad: WHOLE / 4n }], description: 'test' },
  ]);
  const row = risk.operators.find((entry) => entry.operator === operator);
  // 37.5 of its own and 45 of the restaker: a third of them is allocated.
  expect(row).toMatchObject({
    magnitude: WHOLE / 4n,
    maxMagnitude: (WHOLE * 3n) / 4n,
    shares: (825n * WHOLE) / 10n,
    otherSets: [],
    record: null,
    slashability: { state: 'member' },
    slashes: [{ description: 'test' }],
    signingKey: chain.lane(OPERATOR + 100).address.toLowerCase(),
  });
  const third = (275n * WHOLE) / 10n;
  expect((row?.slashableShares ?? 0n) <= third && (row?.slashableShares ?? 0n) > third - 1_000n).toBe(true);
  expect(risk.operators.find((entry) => entry.operator === chain.lane(PICKY_OPERATOR).address)).toMatchObject({
    slashes: [],
    delegationApprover: chain.lane(APPROVER).address,
  });
});

test('an operator that left is named until nothing of its stake can be slashed', async () => {
  const operator = chain.lane(PICKY_OPERATOR).address;
  await leaveOperatorSet({ ...deployment(), operator }, dependencies(PICKY_OPERATOR));
  const left = (await chain.rpc.request(latestBlock())).number;
  const find = async () => {
    const { operators } = await readRisk(deployment(), chain.rpc, { observed: null });
    return operators.find((entry) => entry.operator === operator)?.slashability;
  };
  expect(await find()).toEqual({ state: 'left', untilBlock: left + 10 });
  await mine(10);
  expect(await find()).toEqual({ state: 'left', untilBlock: left + 10 });
  await mine(1);
  expect(await find()).toBeUndefined();
});
