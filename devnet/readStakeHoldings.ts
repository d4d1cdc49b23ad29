import { decodeEventLog, erc20Abi, type Address, type Hex } from 'viem';
import { iDelegationManagerAbi } from '../chain/contracts/generated/IDelegationManager.js';
import { iSlashVaultAbi } from '../chain/contracts/generated/ISlashVault.js';
import { iStrategyAbi } from '../chain/contracts/generated/IStrategy.js';
import { iStrategyManagerAbi } from '../chain/contracts/generated/IStrategyManager.js';
import type { Deployment } from '../chain/deployment.js';
import { OffenceBook, type Offence } from '../chain/judge/offenceBook.js';
import { encoded, eventTopic, logsBetween, LOG_RANGE_BLOCKS } from '../chain/rewards/rewardHistory.js';
import { viewCall } from '../chain/rewards/viewCall.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import type { Entitlement, TokenHolding, TokenTransfer } from './tokenAccounts.js';

const SYMBOL = 'SPON';
const DECIMALS = 18;
const BPS = 10_000n;

/** A contract's own sum of what it owes, and to whom. */
interface Book {
  readonly liabilities: bigint;
  readonly entitlements: Entitlement[];
}

/**
 * Reads what there is to know about the staked token at a block of the stake chain: in the strategy, where restakers' deposits are and
 * what slashes took until it is paid out, and in the vault, which shares that out. Throws what the RPC throws.
 */
export async function readStakeHoldings(
  deployment: Deployment,
  rpc: Rpc,
  end: { readonly number: number; readonly hash: Hex },
  operators: readonly Address[],
): Promise<TokenHolding[]> {
  const { stake, stakeToken, strategy, quorum } = deployment;
  const { slasher, vault, deploymentBlock: fromBlock } = stake;
  const offenceBook = new OffenceBook({ slasher, vault, curve: quorum.curve, fromBlock }, { rpc });
  await offenceBook.refresh();
  const offences = offenceBook.all();
  const logs = async (address: Address, topic: Hex) =>
    logsBetween(
      rpc,
      { fromBlock, toBlock: end.number, rangeBlocks: LOG_RANGE_BLOCKS },
      { addresses: [address], topics: [topic] },
    );
  const transfers = (await logs(stakeToken, eventTopic(erc20Abi, 'Transfer'))).map((log): TokenTransfer => {
    const { args } = decodeEventLog({ abi: erc20Abi, eventName: 'Transfer', ...encoded(log) });
    return { from: lowerCase(args.from), to: lowerCase(args.to), amount: args.value };
  });
  const deposits = await logs(deployment.eigenlayer.strategyManager, eventTopic(iStrategyManagerAbi, 'Deposit'));
  const stakers = new Set(
    deposits.map((log) => {
      const { args } = decodeEventLog({ abi: iStrategyManagerAbi, eventName: 'Deposit', ...encoded(log) });
      return lowerCase(args.staker);
    }),
  );
  const books: readonly [string, Address, Book][] = [
    ['strategy', strategy, await strategyBook(deployment, rpc, end.hash, { stakers: [...stakers], offences })],
    ['vault', vault, await vaultBook(deployment, rpc, end.hash, offences)],
  ];
  const roleOf = rolesIn(deployment, { stakers, offences, operators });
  return Promise.all(
    books.map(async ([contractName, contract, { liabilities, entitlements }]) => ({
      symbol: SYMBOL,
      decimals: DECIMALS,
      contractName,
      contract,
      transfers: transfers.filter(({ from, to }) => from === contract || to === contract),
      balance: await rpc.request(
        viewCall({ address: stakeToken, abi: erc20Abi, functionName: 'balanceOf', args: [contract] }, end.hash),
      ),
      liabilities,
      entitlements,
      roleOf,
    })),
  );
}

/** Deposits by what each staker can withdraw now, and slashed shares that nobody has had paid out. */
async function strategyBook(
  { eigenlayer, strategy, operatorSet }: Deployment,
  rpc: Rpc,
  at: Hex,
  { stakers, offences }: { readonly stakers: readonly Address[]; readonly offences: readonly Offence[] },
): Promise<Book> {
  const slashIds = offences.flatMap(({ slashes }) => slashes.map(({ slashId }) => slashId));
  const ofStrategy = { address: strategy, abi: iStrategyAbi } as const;
  const withdrawable = await rpc.batch(
    stakers.map((staker) =>
      viewCall(
        {
          address: eigenlayer.delegationManager,
          abi: iDelegationManagerAbi,
          functionName: 'getWithdrawableShares',
          args: [staker, [strategy]],
        },
        at,
      ),
    ),
  );
  const unpaid = await rpc.batch(
    slashIds.map((slashId) =>
      viewCall(
        {
          address: eigenlayer.strategyManager,
          abi: iStrategyManagerAbi,
          functionName: 'getBurnOrRedistributableShares',
          args: [operatorSet, slashId, strategy],
        },
        at,
      ),
    ),
  );
  const totalShares = await rpc.request(viewCall({ ...ofStrategy, functionName: 'totalShares', args: [] }, at));
  const staked = total(withdrawable.map(([shares]) => shares[0] ?? 0n));
  const slashed = total(unpaid);
  const [liabilities, stakedTokens, slashedTokens] = await rpc.batch(
    [totalShares, staked, slashed].map((shares) =>
      viewCall({ ...ofStrategy, functionName: 'sharesToUnderlyingView', args: [shares] }, at),
    ),
  );
  const owed = (stakedTokens ?? 0n) + (slashedTokens ?? 0n);
  return {
    liabilities: liabilities ?? 0n,
    entitlements: [
      { kind: 'restaked', amount: stakedTokens ?? 0n },
      { kind: 'slashed', amount: slashedTokens ?? 0n },
      { kind: 'rounding', amount: roundingOf((liabilities ?? 0n) - owed, stakers.length + slashIds.length) },
    ],
  };
}

/** What slashing factors and shares round down stays in the strategy: less than a unit each for every holder's factor, shares and tokens. */
function roundingOf(remainder: bigint, holders: number): bigint {
  return remainder >= 0n && remainder <= 3n * BigInt(holders) ? remainder : 0n;
}

async function vaultBook({ stake }: Deployment, rpc: Rpc, at: Hex, offences: readonly Offence[]): Promise<Book> {
  const vault = { address: stake.vault, abi: iSlashVaultAbi } as const;
  const [liabilities, challengerBps, victimBps] = await rpc.batch([
    viewCall({ ...vault, functionName: 'booked', args: [] }, at),
    viewCall({ ...vault, functionName: 'challengerBps', args: [] }, at),
    viewCall({ ...vault, functionName: 'victimBps', args: [] }, at),
  ] as const);
  const shares = await Promise.all(
    offences.map(async ({ offenceId }) => {
      const [{ collected, challengerPaid, victimPaid, treasuryPaid }, { loss, paid }] = await rpc.batch([
        viewCall({ ...vault, functionName: 'potOf', args: [offenceId] }, at),
        viewCall({ ...vault, functionName: 'claimOf', args: [offenceId] }, at),
      ] as const);
      const ofChallenger = (collected * BigInt(challengerBps)) / BPS;
      const left = collected - ofChallenger - victimPaid - treasuryPaid;
      const most = (collected * BigInt(victimBps)) / BPS - victimPaid;
      const ofTenant = least(left, loss - paid, most > 0n ? most : 0n);
      return { challenger: ofChallenger - challengerPaid, tenant: ofTenant, treasury: left - ofTenant };
    }),
  );
  return {
    liabilities,
    entitlements: [
      { kind: 'challengers', amount: total(shares.map(({ challenger }) => challenger)) },
      { kind: 'tenants', amount: total(shares.map(({ tenant }) => tenant)) },
      { kind: 'treasury', amount: total(shares.map(({ treasury }) => treasury)) },
    ],
  };
}

function rolesIn(
  { stake }: Deployment,
  known: {
    readonly stakers: ReadonlySet<string>;
    readonly offences: readonly Offence[];
    readonly operators: readonly Address[];
  },
): (account: Address) => string {
  const operators = new Set(known.operators.map(lowerCase));
  const challengers = new Set(known.offences.map(({ challenger }) => lowerCase(challenger)));
  const tenants = new Set(known.offences.flatMap(({ victim }) => (victim === null ? [] : [lowerCase(victim.tenant)])));
  return (account) => {
    const address = lowerCase(account);
    if (address === stake.vault) return 'vault';
    if (operators.has(address)) return 'operators';
    if (known.stakers.has(address)) return 'restakers';
    if (challengers.has(address)) return 'challengers';
    return tenants.has(address) ? 'tenants' : 'others';
  };
}

function least(...amounts: readonly bigint[]): bigint {
  return amounts.reduce((lowest, amount) => (amount < lowest ? amount : lowest));
}

function total(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

function lowerCase(address: Address): Address {
  return address.toLowerCase() as Address;
}
