import { decodeEventLog, encodeFunctionData, keccak256, parseUnits, toHex, type Hex } from 'viem';
import { complianceRegistryAbi } from '../chain/contracts/generated/ComplianceRegistry.js';
import { devnetTokenAbi } from '../chain/contracts/generated/DevnetToken.js';
import { providerRegistryAbi } from '../chain/contracts/generated/ProviderRegistry.js';
import { stakingManagerAbi } from '../chain/contracts/generated/StakingManager.js';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import type { Deployment } from '../chain/deployment.js';
import type { Receipt } from '../chain/rpc/rpcCall.js';
import type { DevnetChain } from './devnetChain.js';
import { inParallel } from './inParallel.js';
import type { DevnetMarket } from './deployDevnet.js';
import type { MachinePlan, MarketPlan } from './marketPlan.js';

/** Ids that the plan's providers and machines got, by their index in the plan. */
export interface PopulatedMarket {
  readonly providerIds: readonly number[];
  readonly machineIds: readonly number[];
  /** What provider i sends its transactions with. */
  readonly providerLanes: readonly TransactionLane[];
}

/** Providers that send at the same time; each has connections of its own, and a node takes only so many at once. */
const PROVIDERS_AT_ONCE = 64;
/** Machines that one transaction registers or opens. */
const MACHINES_PER_CALL = 32;
const STAKE_DECIMALS = 18;
const SECONDS_PER_DAY = 86_400;

/**
 * Puts the plan's providers and machines on the market, every provider with its own key and all of them at once: registration, stake,
 * what verifier, oracle and auditors say of them, machines, offers. Resolves when all machines are active from a coming round on.
 * Throws TransactionRevertedError.
 */
export async function populateMarket(
  plan: MarketPlan,
  chain: DevnetChain,
  market: DevnetMarket,
): Promise<PopulatedMarket> {
  const { deployment } = market;
  const lanes = plan.providers.map(() => chain.lane(chain.nextAccount().privateKey));
  const providerIds = await inParallel(plan.providers, PROVIDERS_AT_ONCE, (provider, index) =>
    registerProvider(provider, lanes[index] as TransactionLane, deployment),
  );
  const machinesOf = plan.providers.map((_, provider) =>
    [...plan.machines.keys()].filter((index) => plan.machines[index]?.provider === provider),
  );

  await Promise.all([
    inParallel(plan.providers, PROVIDERS_AT_ONCE, (provider, index) => {
      const machines = (machinesOf[index] ?? []).map((machine) => plan.machines[machine] as MachinePlan);
      const whole = provider.extraStakeWhole + machines.reduce((sum, machine) => sum + stakeOf(machine, market), 0);
      return stake(lanes[index] as TransactionLane, providerIds[index] as number, whole, market);
    }),
    describeProviders(plan, providerIds, market, chain),
  ]);

  const machineIds: number[] = Array.from({ length: plan.machines.length }, () => 0);
  await inParallel(machinesOf, PROVIDERS_AT_ONCE, async (indexes, provider) => {
    const lane = lanes[provider] as TransactionLane;
    const providerId = providerIds[provider] as number;
    await inGroups(indexes, async (group) => {
      const receipt = await multicall(
        lane,
        deployment.contracts.providerRegistry,
        group.map((index) =>
          encodeFunctionData({
            abi: providerRegistryAbi,
            functionName: 'registerMachine',
            args: [providerId, (plan.machines[index] as MachinePlan).spec],
          }),
        ),
        `register machines of provider ${providerId}`,
      );
      idsOf(receipt, deployment, 'MachineRegistered').forEach((id, position) => {
        machineIds[group[position] as number] = id;
      });
    });
  });
  await inParallel(machinesOf, PROVIDERS_AT_ONCE, (indexes, provider) =>
    inGroups(indexes, (group) =>
      multicall(
        lanes[provider] as TransactionLane,
        deployment.contracts.providerRegistry,
        group.flatMap((index) => openingCalls(plan.machines[index] as MachinePlan, machineIds[index] as number)),
        `open machines of provider ${providerIds[provider]}`,
      ),
    ),
  );
  return { providerIds, machineIds, providerLanes: lanes };
}

async function registerProvider(
  provider: MarketPlan['providers'][number],
  lane: TransactionLane,
  deployment: Deployment,
): Promise<number> {
  const receipt = await lane.run({
    to: deployment.contracts.providerRegistry,
    data: encodeFunctionData({
      abi: providerRegistryAbi,
      functionName: 'registerProvider',
      args: [provider.name, provider.hostUri],
    }),
    label: `register ${provider.name}`,
    errorsAbi: providerRegistryAbi,
  });
  const [id] = idsOf(receipt, deployment, 'ProviderAdded');
  if (id === undefined) throw new Error(`registering ${provider.name} left no ProviderAdded`);
  return id;
}

/** Whole staking tokens that a machine needs, by the network's requirement. */
function stakeOf({ spec }: MachinePlan, { stakeRequirement }: DevnetMarket): number {
  const { wholePerDevice, wholePerCore, wholeMinimum } = stakeRequirement;
  return Math.max(wholeMinimum, spec.deviceCount * wholePerDevice + Math.ceil((spec.cpuMilli * wholePerCore) / 1_000));
}

async function stake(lane: TransactionLane, providerId: number, whole: number, market: DevnetMarket): Promise<void> {
  if (whole === 0) return;
  const { stakingManager } = market.deployment.contracts;
  const amount = parseUnits(String(whole), STAKE_DECIMALS);
  const token = market.stakingToken;
  await Promise.all([
    lane.run({
      to: token,
      data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [lane.address, amount] }),
      label: 'mint staking tokens',
    }),
    lane.run({
      to: token,
      data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'approve', args: [stakingManager, amount] }),
      label: 'approve staking',
    }),
  ]);
  await lane.run({
    to: stakingManager,
    data: encodeFunctionData({ abi: stakingManagerAbi, functionName: 'stake', args: [providerId, amount] }),
    label: `stake for provider ${providerId}`,
    errorsAbi: stakingManagerAbi,
  });
}

/** What others say of the providers: the verifier their tier and attributes, the oracle their scores, auditors their reports. */
async function describeProviders(
  plan: MarketPlan,
  providerIds: readonly number[],
  market: DevnetMarket,
  chain: DevnetChain,
): Promise<void> {
  const { providerRegistry, complianceRegistry } = market.deployment.contracts;
  const today = Math.floor(chain.blocks.head().timestamp / SECONDS_PER_DAY);
  const verifications: Hex[] = [];
  const scores: Hex[] = [];
  const reports: Promise<Receipt>[] = [];
  plan.providers.forEach((provider, index) => {
    const providerId = providerIds[index] as number;
    verifications.push(
      encodeFunctionData({
        abi: providerRegistryAbi,
        functionName: 'verifyProvider',
        args: [providerId, provider.tier, provider.attributes],
      }),
    );
    if (provider.scores !== null) {
      const { uptimeBps, reputationBps, slashes } = provider.scores;
      scores.push(
        encodeFunctionData({
          abi: providerRegistryAbi,
          functionName: 'setProviderScores',
          args: [providerId, uptimeBps, reputationBps, slashes],
        }),
      );
    }
    for (const { auditor, standard, bps, validDays } of provider.reports) {
      const lane = market.auditorLanes[auditor];
      if (lane === undefined) throw new Error(`the devnet has no auditor ${auditor}`);
      const reportHash = keccak256(toHex(`${provider.name} standard ${standard}`));
      reports.push(
        lane.run({
          to: complianceRegistry,
          data: encodeFunctionData({
            abi: complianceRegistryAbi,
            functionName: 'attest',
            args: [providerId, standard, reportHash, today + validDays, bps],
          }),
          label: `attest for provider ${providerId}`,
          errorsAbi: complianceRegistryAbi,
        }),
      );
    }
  });
  await Promise.all([
    inGroups(verifications, (group) => multicall(market.verifierLane, providerRegistry, group, 'verify providers')),
    inGroups(scores, (group) => multicall(market.oracleLane, providerRegistry, group, 'score providers')),
    ...reports,
  ]);
}

/** Calls that publish a machine's offers and let it be matched from the next round on. */
function openingCalls(machine: MachinePlan, machineId: number): Hex[] {
  return [
    ...machine.offers.map((terms, offerIndex) =>
      encodeFunctionData({
        abi: providerRegistryAbi,
        functionName: 'setOffer',
        args: [machineId, offerIndex, terms],
      }),
    ),
    encodeFunctionData({ abi: providerRegistryAbi, functionName: 'activateMachine', args: [machineId] }),
  ];
}

function multicall(lane: TransactionLane, registry: Hex, calls: readonly Hex[], label: string): Promise<Receipt> {
  return lane.run({
    to: registry,
    data: encodeFunctionData({ abi: providerRegistryAbi, functionName: 'multicall', args: [calls] }),
    label,
    errorsAbi: providerRegistryAbi,
  });
}

async function inGroups<T>(items: readonly T[], send: (group: readonly T[]) => Promise<unknown>): Promise<void> {
  const groups: Promise<unknown>[] = [];
  for (let start = 0; start < items.length; start += MACHINES_PER_CALL) {
    groups.push(send(items.slice(start, start + MACHINES_PER_CALL)));
  }
  await Promise.all(groups);
}

/** Ids that the registry gave out in a transaction, in order. */
function idsOf(receipt: Receipt, deployment: Deployment, eventName: 'ProviderAdded' | 'MachineRegistered'): number[] {
  return receipt.logs.flatMap((log) => {
    if (log.address !== deployment.contracts.providerRegistry) return [];
    const event = decodeEventLog({
      abi: providerRegistryAbi,
      data: log.data,
      topics: log.topics as [Hex, ...Hex[]],
    });
    if (event.eventName !== eventName) return [];
    return [
      event.eventName === 'MachineRegistered'
        ? event.args.machineId
        : (event.args as { providerId: number }).providerId,
    ];
  });
}
