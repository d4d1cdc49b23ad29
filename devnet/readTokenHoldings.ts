import { decodeEventLog, erc20Abi, type Abi, type Address, type ContractEventName, type Hex } from 'viem';
import { complianceRegistryAbi } from '../chain/contracts/generated/ComplianceRegistry.js';
import { escrowAbi } from '../chain/contracts/generated/Escrow.js';
import { orderRequestAbi } from '../chain/contracts/generated/OrderRequest.js';
import { providerRegistryAbi } from '../chain/contracts/generated/ProviderRegistry.js';
import { rewarderAbi } from '../chain/contracts/generated/Rewarder.js';
import { stakingManagerAbi } from '../chain/contracts/generated/StakingManager.js';
import { eventTopic, logsBetween, LOG_RANGE_BLOCKS } from '../chain/rewards/rewardHistory.js';
import { viewCall } from '../chain/rewards/viewCall.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import type { RpcCall, RpcLog } from '../chain/rpc/rpcCall.js';
import type { EventArgs } from '../sdk/calls/callMarket.js';
import type { DevnetMarket } from './deployDevnet.js';
import { DEVNET_TOKENS } from './marketPlan.js';
import type { Entitlement, TokenHolding, TokenTransfer } from './tokenAccounts.js';

const CALLS_PER_BATCH = 200;
const STAKING_SYMBOL = 'SPON';
const STAKING_DECIMALS = 18;

/** Who the operators and the settler are; nothing on the market's own contracts tells. */
export interface KnownEarners {
  /** Keys that operators sign with, and earn under. */
  readonly operators: readonly Address[];
  readonly settler: Address;
}

/**
 * Reads what there is to know about every token of a devnet's market at a block: each transfer into and out of its contracts, balances,
 * the contracts' own books, and each account's entitlement, the accounts being everybody whom an event ever named. Throws what the RPC throws.
 */
export async function readTokenHoldings(
  market: Pick<DevnetMarket, 'deployment' | 'paymentTokens' | 'stakingToken'>,
  rpc: Rpc,
  end: { readonly number: number; readonly hash: Hex },
  known: KnownEarners,
): Promise<TokenHolding[]> {
  const { deployment, paymentTokens, stakingToken } = market;
  const { escrow, stakingManager, complianceRegistry, rewarder } = deployment.contracts;
  const reader = new Reader(market, rpc, end);
  const events = await readEvents(reader);
  const tokens = [
    ...paymentTokens.map((address, index) => ({
      address,
      symbol: DEVNET_TOKENS[index]?.symbol ?? '',
      decimals: DEVNET_TOKENS[index]?.decimals ?? 0,
    })),
    { address: stakingToken, symbol: STAKING_SYMBOL, decimals: STAKING_DECIMALS },
  ];
  const books = new Map<string, { liabilities: bigint; entitlements: Entitlement[] }>();
  for (const [index, token] of paymentTokens.entries()) {
    books.set(`${token} ${escrow}`, await escrowBook(reader, events, index + 1));
  }
  books.set(`${stakingToken} ${stakingManager}`, await stakingBook(reader, events));
  books.set(`${stakingToken} ${complianceRegistry}`, await complianceBook(reader, events));
  books.set(`${stakingToken} ${rewarder}`, await rewarderBook(reader, events));

  const roleOf = rolesIn(events, known);
  const holdings: TokenHolding[] = [];
  for (const token of tokens) {
    const transfers = await reader.transfersOf(token.address);
    const contracts = Object.entries(deployment.contracts);
    const balances = await reader.views(
      contracts.map(([, contract]) =>
        viewCall({ address: token.address, abi: erc20Abi, functionName: 'balanceOf', args: [contract] }, end.hash),
      ),
    );
    contracts.forEach(([contractName, contract], index) => {
      const own = transfers.filter(({ from, to }) => from === contract || to === contract);
      const book = books.get(`${token.address} ${contract}`);
      const balance = balances[index] as bigint;
      if (book === undefined && own.length === 0 && balance === 0n) return;
      holdings.push({
        symbol: token.symbol,
        decimals: token.decimals,
        contractName,
        contract,
        transfers: own,
        balance,
        liabilities: book?.liabilities ?? null,
        entitlements: book?.entitlements ?? [],
        roleOf,
      });
    });
  }
  return holdings;
}

class Reader {
  readonly contracts: DevnetMarket['deployment']['contracts'];
  readonly hash: Hex;
  readonly #rpc: Rpc;
  readonly #span: { readonly fromBlock: number; readonly toBlock: number; readonly rangeBlocks: number };

  constructor(
    { deployment }: Pick<DevnetMarket, 'deployment'>,
    rpc: Rpc,
    end: { readonly number: number; readonly hash: Hex },
  ) {
    this.contracts = deployment.contracts;
    this.hash = end.hash;
    this.#rpc = rpc;
    this.#span = { fromBlock: deployment.deploymentBlock, toBlock: end.number, rangeBlocks: LOG_RANGE_BLOCKS };
  }

  async transfersOf(token: Address): Promise<TokenTransfer[]> {
    const found = await this.eventsOf(token, erc20Abi, 'Transfer');
    return found.map(({ from, to, value }) => ({ from: lowerCase(from), to: lowerCase(to), amount: value }));
  }

  async eventsOf<const abi extends Abi, const name extends ContractEventName<abi>>(
    address: Address,
    abi: abi,
    eventName: name,
  ): Promise<EventArgs<abi, name>[]> {
    const untyped: { abi: Abi; eventName: string } = { abi, eventName };
    const logs: RpcLog[] = await logsBetween(this.#rpc, this.#span, {
      addresses: [address],
      topics: [eventTopic(untyped.abi, untyped.eventName)],
    });
    return logs.map((log) => {
      const { args } = decodeEventLog({ ...untyped, data: log.data, topics: log.topics as [Hex, ...Hex[]] });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the very ABI that the type is made from
      return args as unknown as EventArgs<abi, name>;
    });
  }

  /** Answers of views, in their order. */
  async views<Answer>(calls: readonly RpcCall<Answer>[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let start = 0; start < calls.length; start += CALLS_PER_BATCH) {
      answers.push(...(await this.#rpc.batch(calls.slice(start, start + CALLS_PER_BATCH))));
    }
    return answers;
  }

  async sum(calls: readonly RpcCall<bigint>[]): Promise<bigint> {
    return total(await this.views(calls));
  }
}

type Events = Awaited<ReturnType<typeof readEvents>>;

/** Everything that names an account, an order or an amount that the books need. */
async function readEvents(reader: Reader) {
  const { escrow, stakingManager, complianceRegistry, rewarder, orderRequest, providerRegistry } = reader.contracts;
  return {
    deposited: await reader.eventsOf(escrow, escrowAbi, 'Deposited'),
    sponsored: await reader.eventsOf(escrow, escrowAbi, 'Sponsored'),
    locked: await reader.eventsOf(escrow, escrowAbi, 'Locked'),
    leasePaid: await reader.eventsOf(escrow, escrowAbi, 'LeasePaid'),
    bondMoved: await reader.eventsOf(escrow, escrowAbi, 'BondMoved'),
    feeTerms: await reader.eventsOf(escrow, escrowAbi, 'FeeTermsUpdated'),
    delegated: await reader.eventsOf(stakingManager, stakingManagerAbi, 'Delegated'),
    unbondings: await reader.eventsOf(stakingManager, stakingManagerAbi, 'UnbondingStarted'),
    stakeTreasuries: await reader.eventsOf(stakingManager, stakingManagerAbi, 'TreasuryUpdated'),
    bondPosted: await reader.eventsOf(complianceRegistry, complianceRegistryAbi, 'BondPosted'),
    auditorSlashed: await reader.eventsOf(complianceRegistry, complianceRegistryAbi, 'AuditorSlashed'),
    treasuryWithdrawn: await reader.eventsOf(complianceRegistry, complianceRegistryAbi, 'TreasuryWithdrawn'),
    funded: await reader.eventsOf(rewarder, rewarderAbi, 'Funded'),
    claimed: await reader.eventsOf(rewarder, rewarderAbi, 'RewardClaimed'),
    contested: await reader.eventsOf(rewarder, rewarderAbi, 'RootContested'),
    resolved: await reader.eventsOf(rewarder, rewarderAbi, 'ContestResolved'),
    distributionTerms: await reader.eventsOf(rewarder, rewarderAbi, 'DistributionTermsUpdated'),
    orders: await reader.eventsOf(orderRequest, orderRequestAbi, 'OrderCreated'),
    providers: await reader.eventsOf(providerRegistry, providerRegistryAbi, 'ProviderAdded'),
  };
}

interface Book {
  readonly liabilities: bigint;
  readonly entitlements: Entitlement[];
}

async function escrowBook(reader: Reader, events: Events, tokenId: number): Promise<Book> {
  const { hash } = reader;
  const escrow = { address: reader.contracts.escrow, abi: escrowAbi } as const;
  const accounts = unique([
    ...events.deposited.map(({ account }) => account),
    ...events.sponsored.flatMap(({ sponsor, account }) => [sponsor, account]),
    ...events.locked.map(({ tenant }) => tenant),
    ...events.leasePaid.map(({ provider }) => provider),
    ...events.bondMoved.flatMap(({ from, to }) => [from, to]),
    ...events.feeTerms.flatMap(({ terms }) => [terms.treasury, terms.foundation]),
  ]);
  const pairs = new Map(
    events.sponsored.map(({ sponsor, account }) => [`${sponsor} ${account}`, { sponsor, account }]),
  );
  const orderIds = events.locked.filter((lock) => lock.tokenId === tokenId).map(({ orderId }) => orderId);
  const locks = await reader.views(
    orderIds.map((orderId) => viewCall({ ...escrow, functionName: 'lockOf', args: [orderId] }, hash)),
  );
  const [liabilities] = await reader.views([
    viewCall({ ...escrow, functionName: 'liabilities', args: [tokenId] }, hash),
  ]);
  return {
    liabilities: liabilities as bigint,
    entitlements: [
      {
        kind: 'balances',
        amount: await reader.sum(
          accounts.map((account) => viewCall({ ...escrow, functionName: 'balanceOf', args: [account, tokenId] }, hash)),
        ),
      },
      {
        kind: 'sponsored',
        amount: await reader.sum(
          [...pairs.values()].map(({ sponsor, account }) =>
            viewCall({ ...escrow, functionName: 'sponsoredBalanceOf', args: [account, sponsor, tokenId] }, hash),
          ),
        ),
      },
      {
        kind: 'bonds',
        amount: await reader.sum(
          accounts.map((account) => viewCall({ ...escrow, functionName: 'bondsOf', args: [account, tokenId] }, hash)),
        ),
      },
      {
        kind: 'locks',
        amount: total(locks.map(({ released, locked, spent }) => (released ? 0n : locked - spent))),
      },
    ],
  };
}

async function stakingBook(reader: Reader, events: Events): Promise<Book> {
  const { hash } = reader;
  const staking = { address: reader.contracts.stakingManager, abi: stakingManagerAbi } as const;
  const pools = await reader.views(
    events.providers.map(({ providerId }) =>
      viewCall({ ...staking, functionName: 'stakeOf', args: [providerId] }, hash),
    ),
  );
  const holders = new Map(
    events.delegated.map(({ providerId, delegator }) => [`${providerId} ${delegator}`, { providerId, delegator }]),
  );
  const delegations = await reader.views(
    [...holders.values()].map(({ providerId, delegator }) =>
      viewCall({ ...staking, functionName: 'delegationOf', args: [providerId, delegator] }, hash),
    ),
  );
  const unbondings = await reader.views(
    events.unbondings.map(({ providerId, account, unbondingId }) =>
      viewCall({ ...staking, functionName: 'unbondingOf', args: [providerId, account, unbondingId] }, hash),
    ),
  );
  const compensated = unique([
    ...events.orders.map(({ tenant }) => tenant),
    ...events.stakeTreasuries.map(({ treasury }) => treasury),
  ]);
  const delegated = total(delegations.map(([, amount]) => amount));
  const unbonding = total(unbondings.map(([amount]) => amount));
  const [liabilities] = await reader.views([viewCall({ ...staking, functionName: 'liabilities', args: [] }, hash)]);
  return {
    liabilities: liabilities as bigint,
    entitlements: [
      { kind: 'own stake', amount: total(pools.map(([own]) => own)) },
      { kind: 'delegated', amount: delegated },
      { kind: 'unbonding', amount: unbonding },
      {
        kind: 'rounding',
        amount: roundingOf(total(pools.map(([, amount]) => amount)) - delegated, delegations.length),
      },
      {
        kind: 'rounding',
        amount: roundingOf(total(pools.map(([, , amount]) => amount)) - unbonding, unbondings.length),
      },
      {
        kind: 'compensation',
        amount: await reader.sum(
          compensated.map((account) => viewCall({ ...staking, functionName: 'compensationOf', args: [account] }, hash)),
        ),
      },
    ],
  };
}

/** What floors left in a pool belongs to its holders together; it is less than a unit each for shares and for their worth. */
function roundingOf(remainder: bigint, holders: number): bigint {
  return remainder >= 0n && remainder <= 2n * BigInt(holders) ? remainder : 0n;
}

async function complianceBook(reader: Reader, events: Events): Promise<Book> {
  const { hash } = reader;
  const compliance = { address: reader.contracts.complianceRegistry, abi: complianceRegistryAbi } as const;
  const auditors = await reader.views(
    unique(events.bondPosted.map(({ auditor }) => auditor)).map((auditor) =>
      viewCall({ ...compliance, functionName: 'auditorOf', args: [auditor] }, hash),
    ),
  );
  const [liabilities] = await reader.views([viewCall({ ...compliance, functionName: 'liabilities', args: [] }, hash)]);
  const slashed = total(events.auditorSlashed.map(({ amount }) => amount));
  return {
    liabilities: liabilities as bigint,
    entitlements: [
      { kind: 'auditor bonds', amount: total(auditors.map(([, bond]) => bond)) },
      { kind: 'treasury', amount: slashed - total(events.treasuryWithdrawn.map(({ amount }) => amount)) },
    ],
  };
}

async function rewarderBook(reader: Reader, events: Events): Promise<Book> {
  const { hash } = reader;
  const rewarder = { address: reader.contracts.rewarder, abi: rewarderAbi } as const;
  const credited = unique([
    ...events.contested.map(({ challenger }) => challenger),
    ...events.distributionTerms.map(({ treasury }) => treasury),
  ]);
  // Every contest that was decided had one bond, and they are decided in the order in which they were begun.
  const openBonds = events.contested.slice(events.resolved.length).map(({ bond }) => bond);
  const [liabilities] = await reader.views([viewCall({ ...rewarder, functionName: 'liabilities', args: [] }, hash)]);
  return {
    liabilities: liabilities as bigint,
    entitlements: [
      {
        kind: 'unclaimed rewards',
        amount: total(events.funded.map(({ amount }) => amount)) - total(events.claimed.map(({ amount }) => amount)),
      },
      { kind: 'contest bonds', amount: total(openBonds) },
      {
        kind: 'credits',
        amount: await reader.sum(
          credited.map((account) => viewCall({ ...rewarder, functionName: 'creditOf', args: [account] }, hash)),
        ),
      },
    ],
  };
}

/** What an account is, by the first of these that it ever was. */
function rolesIn(events: Events, { operators, settler }: KnownEarners): (account: Address) => string {
  const signers = new Set(operators.map(lowerCase));
  const isOperator = ({ earner }: { earner: Address }): boolean => signers.has(lowerCase(earner));
  const roles: readonly (readonly [string, readonly Address[]])[] = [
    ['treasury', events.feeTerms.map(({ terms }) => terms.treasury)],
    ['foundation', events.feeTerms.map(({ terms }) => terms.foundation)],
    ['providers', events.providers.map(({ owner }) => owner)],
    ['operators', [...operators, ...events.claimed.filter(isOperator).map(({ wallet }) => wallet)]],
    ['settler', [settler]],
    ['tenants', events.orders.map(({ tenant }) => tenant)],
    ['delegators', events.delegated.map(({ delegator }) => delegator)],
    ['sponsors', [...events.sponsored.map(({ sponsor }) => sponsor), ...events.funded.map(({ from }) => from)]],
    ['auditors', events.bondPosted.map(({ auditor }) => auditor)],
    ['challengers', events.contested.map(({ challenger }) => challenger)],
  ];
  const roleOf = new Map<string, string>();
  for (const [role, accounts] of roles) {
    for (const account of accounts) if (!roleOf.has(lowerCase(account))) roleOf.set(lowerCase(account), role);
  }
  return (account) => roleOf.get(lowerCase(account)) ?? 'others';
}

function unique(accounts: readonly Address[]): Address[] {
  return [...new Set(accounts.map(lowerCase))];
}

function total(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

function lowerCase(address: Address): Address {
  return address.toLowerCase() as Address;
}
