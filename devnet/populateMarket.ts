import {
  decodeEventLog,
  encodeAbiParameters,
  encodeFunctionData,
  keccak256,
  parseAbiParameters,
  parseUnits,
  toHex,
  type Hex,
} from 'viem';
import { complianceRegistryAbi } from '../chain/contracts/generated/ComplianceRegistry.js';
import { devnetTokenAbi } from '../chain/contracts/generated/DevnetToken.js';
import { providerAdmissionAbi } from '../chain/contracts/generated/ProviderAdmission.js';
import { providerAttributesAbi } from '../chain/contracts/generated/ProviderAttributes.js';
import { providerRegistryAbi } from '../chain/contracts/generated/ProviderRegistry.js';
import { rewardOracleAbi } from '../chain/contracts/generated/RewardOracle.js';
import { stakingManagerAbi } from '../chain/contracts/generated/StakingManager.js';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import type { Deployment } from '../chain/deployment.js';
import type { Receipt } from '../chain/rpc/rpcCall.js';
import type { DevnetChain } from './devnetChain.js';
import { inParallel } from './inParallel.js';
import type { DevnetMarket } from './deployDevnet.js';
import type { MachinePlan, MarketPlan, ProviderPlan } from './marketPlan.js';

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
/** Results that one transaction posts. */
const RESULTS_PER_CALL = 64;
const STAKE_DECIMALS = 18;
const SECONDS_PER_DAY = 86_400;
const MILLI = 1_000;
/** `gpuPassedBps` of a provider that was challenged on its CPUs alone. */
const NO_GPU_CHALLENGE = 0x3fff;
const STATUS_ACTIVE = 2;
const CAUSE_MISCONDUCT = 0;
/** Share of its stake that a provider with a past has lost for each slash. */
const PAST_SLASH_BPS = 1;
const BPS = 10_000;
const CATEGORIES = { cpu: 0, gpu: 1 } as const;

/**
 * Puts the plan's providers and machines on the market, every provider with its own key and all of them at once: proposal, stake,
 * activation, what verifier, oracle and auditors say of them, machines, offers. Resolves when all machines are active from a coming
 * round on. Throws TransactionRevertedError.
 */
export async function populateMarket(
  plan: MarketPlan,
  chain: DevnetChain,
  market: DevnetMarket,
): Promise<PopulatedMarket> {
  const { deployment } = market;
  const lanes = plan.providers.map(() => chain.lane(chain.nextAccount().privateKey));
  const machinesOf = plan.providers.map((_, provider) =>
    [...plan.machines.keys()].filter((index) => plan.machines[index]?.provider === provider),
  );
  const providerIds = await inParallel(plan.providers, PROVIDERS_AT_ONCE, async (provider, index) => {
    const lane = lanes[index] as TransactionLane;
    const machines = (machinesOf[index] ?? []).map((machine) => plan.machines[machine] as MachinePlan);
    const providerId = await joinMarket(provider, machines, lane, deployment);
    await stake(lane, providerId, stakeOf(provider, machines, market), market);
    await lane.run({
      to: deployment.contracts.providerRegistry,
      data: encodeFunctionData({ abi: providerRegistryAbi, functionName: 'activateProvider', args: [providerId] }),
      label: `activate provider ${providerId}`,
      errorsAbi: providerRegistryAbi,
    });
    await declare(plan, provider, machines, { lane, providerId, market });
    return providerId;
  });
  await describeProviders(plan, providerIds, market, chain);

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

/** The devnet approves by itself, so a proposal is a registration. */
async function joinMarket(
  { name, hostUri, tier }: ProviderPlan,
  machines: readonly MachinePlan[],
  lane: TransactionLane,
  deployment: Deployment,
): Promise<number> {
  const proposal = {
    name,
    hostUri,
    tier,
    region: machines[0]?.spec.region ?? 0,
    devices: machines.reduce((sum, { spec }) => sum + spec.deviceCount, 0),
    cores: coresOf(machines),
  };
  const receipt = await lane.run({
    to: deployment.contracts.providerAdmission,
    data: encodeFunctionData({ abi: providerAdmissionAbi, functionName: 'propose', args: [proposal] }),
    label: `propose ${name}`,
    errorsAbi: [...providerAdmissionAbi, ...providerRegistryAbi],
  });
  const [id] = idsOf(receipt, deployment, 'ProviderAdded');
  if (id === undefined) throw new Error(`proposing ${name} left no ProviderAdded: the devnet must approve by itself`);
  return id;
}

/** Whole cores of all machines, rounded up. */
function coresOf(machines: readonly MachinePlan[]): number {
  return Math.ceil(machines.reduce((sum, { spec }) => sum + spec.cpuMilli, 0) / MILLI);
}

/** Whole staking tokens that a provider stakes: what its machines and the provider itself need, what it lost before, and its extra. */
function stakeOf(
  { extraStakeWhole, scores }: ProviderPlan,
  machines: readonly MachinePlan[],
  { economy }: DevnetMarket,
): number {
  const { wholePerDevice, wholePerCore, wholeMinimumPerMachine, wholeMinimumPerProvider } = economy.stake;
  const needed = machines.reduce(
    (sum, { spec }) =>
      sum +
      Math.max(
        wholeMinimumPerMachine,
        spec.deviceCount * wholePerDevice + Math.ceil((spec.cpuMilli * wholePerCore) / MILLI),
      ),
    0,
  );
  const whole = extraStakeWhole + Math.max(needed, wholeMinimumPerProvider);
  return scores === null || scores.slashes === 0
    ? whole
    : whole + scores.slashes * (1 + Math.ceil((whole * PAST_SLASH_BPS) / (BPS - PAST_SLASH_BPS)));
}

async function stake(lane: TransactionLane, providerId: number, whole: number, market: DevnetMarket): Promise<void> {
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

/** What a provider says of itself and a verifier confirms: hardware by the resource table, and capability bits. */
async function declare(
  plan: MarketPlan,
  { attributes }: ProviderPlan,
  machines: readonly MachinePlan[],
  { lane, providerId, market }: { lane: TransactionLane; providerId: number; market: DevnetMarket },
): Promise<void> {
  const to = market.deployment.contracts.providerAttributes;
  const errorsAbi = providerAttributesAbi;
  const declared: Promise<Receipt>[] = [];
  const confirmations: Hex[] = [];
  for (const [name, category] of Object.entries(CATEGORIES)) {
    const rows = hardwareRows(plan, machines, market, name as keyof typeof CATEGORIES);
    if (rows.length === 0) continue;
    const [ids, units] = [rows.map(([id]) => id), rows.map(([, count]) => count)] as const;
    declared.push(
      lane.run({
        to,
        data: encodeFunctionData({
          abi: providerAttributesAbi,
          functionName: 'submitAttributes',
          args: [providerId, category, ids, units],
        }),
        label: `declare ${name} of provider ${providerId}`,
        errorsAbi,
      }),
    );
    const pendingHash = keccak256(encodeAbiParameters(parseAbiParameters('uint16[], uint32[]'), [ids, units]));
    confirmations.push(
      encodeFunctionData({
        abi: providerAttributesAbi,
        functionName: 'approveAttributes',
        args: [providerId, category, pendingHash],
      }),
    );
  }
  if (attributes !== 0n) {
    declared.push(
      lane.run({
        to,
        data: encodeFunctionData({
          abi: providerAttributesAbi,
          functionName: 'submitCapabilities',
          args: [providerId, attributes],
        }),
        label: `declare capabilities of provider ${providerId}`,
        errorsAbi,
      }),
    );
    confirmations.push(
      encodeFunctionData({
        abi: providerAttributesAbi,
        functionName: 'approveCapabilities',
        args: [providerId, attributes],
      }),
    );
  }
  await Promise.all(declared);
  await Promise.all(
    confirmations.map((data) =>
      market.verifierLane.run({ to, data, label: `confirm what provider ${providerId} declared`, errorsAbi }),
    ),
  );
}

/** Resource ids, ascending, with units: devices by model, or cores. Models that the table does not know earn nothing. */
function hardwareRows(
  { modelNames }: MarketPlan,
  machines: readonly MachinePlan[],
  { resources }: DevnetMarket,
  category: keyof typeof CATEGORIES,
): [number, number][] {
  const units = new Map<number, number>();
  const add = (id: number, count: number): void => {
    if (id > 0 && count > 0) units.set(id, (units.get(id) ?? 0) + count);
  };
  const idOf = (name: string | undefined): number =>
    resources.findIndex((row) => row.category === category && (name === undefined || row.name === name)) + 1;
  if (category === 'cpu') add(idOf(undefined), coresOf(machines));
  else for (const { spec } of machines) add(idOf(modelNames.get(spec.model) ?? ''), spec.deviceCount);
  return [...units].sort(([a], [b]) => a - b);
}

/** What others say of the providers: the verifier their tier, the oracle their last era, auditors their reports; and what they lost before. */
async function describeProviders(
  plan: MarketPlan,
  providerIds: readonly number[],
  market: DevnetMarket,
  chain: DevnetChain,
): Promise<void> {
  const { providerRegistry, complianceRegistry } = market.deployment.contracts;
  const today = Math.floor(chain.blocks.head().timestamp / SECONDS_PER_DAY);
  const tiers: Hex[] = [];
  const slashed: Promise<void>[] = [];
  const reports: Promise<Receipt>[] = [];
  plan.providers.forEach((provider, index) => {
    const providerId = providerIds[index] as number;
    tiers.push(
      encodeFunctionData({
        abi: providerRegistryAbi,
        functionName: 'setProviderTier',
        args: [providerId, provider.tier],
      }),
    );
    if (provider.scores !== null) slashed.push(slashBefore(providerId, provider.scores.slashes, market));
    for (const { auditor, standard, bps, validDays } of provider.reports) {
      const lane = market.auditorLanes[auditor];
      if (lane === undefined) throw new Error(`the devnet has no auditor ${auditor}`);
      const text = `${provider.name} standard ${standard}`;
      const report = {
        standard,
        scopeHash: keccak256(toHex(`${text} scope`)),
        reportHash: keccak256(toHex(text)),
        uri: `https://auditor-${auditor + 1}.example/${provider.name}/${standard}`,
        issueDay: today,
        expiryDay: today + validDays,
        bps,
      };
      reports.push(
        lane.run({
          to: complianceRegistry,
          data: encodeFunctionData({
            abi: complianceRegistryAbi,
            functionName: 'attest',
            args: [providerId, report],
          }),
          label: `attest for provider ${providerId}`,
          errorsAbi: complianceRegistryAbi,
        }),
      );
    }
  });
  await Promise.all([
    inGroups(tiers, (group) => multicall(market.verifierLane, providerRegistry, group, 'set tiers of providers')),
    postResults(plan, providerIds, market, chain),
    ...slashed,
    ...reports,
  ]);
}

/** Posts the newest closed era's results, which are the first of every provider and so become its scores as they are. */
async function postResults(
  plan: MarketPlan,
  providerIds: readonly number[],
  { deployment, oracleLane, eraZero, economy }: DevnetMarket,
  chain: DevnetChain,
): Promise<void> {
  const results = plan.providers.flatMap(({ scores }, index) =>
    scores === null
      ? []
      : [
          {
            providerId: providerIds[index] as number,
            gpuPassedBps: NO_GPU_CHALLENGE,
            cpuPassedBps: scores.uptimeBps,
            reputationBps: scores.reputationBps,
            idleSeconds: 0,
            voided: false,
          },
        ],
  );
  const era = Math.floor((chain.blocks.head().timestamp - eraZero) / economy.rewards.eraSeconds) - 1;
  for (let start = 0; start < results.length; start += RESULTS_PER_CALL) {
    await oracleLane.run({
      to: deployment.contracts.rewardOracle,
      data: encodeFunctionData({
        abi: rewardOracleAbi,
        functionName: 'postResults',
        args: [era, results.slice(start, start + RESULTS_PER_CALL)],
      }),
      label: `post results of era ${era}`,
      errorsAbi: rewardOracleAbi,
    });
  }
}

/** A provider with a past: slashed for misconduct, suspended by that, and let back in by the verifier. */
async function slashBefore(providerId: number, slashes: number, market: DevnetMarket): Promise<void> {
  const { providerRegistry, stakingManager } = market.deployment.contracts;
  for (let slash = 0; slash < slashes; slash++) {
    const order = {
      providerId,
      cause: CAUSE_MISCONDUCT,
      amountBps: PAST_SLASH_BPS,
      orderId: 0,
      harm: 0n,
      evidenceHash: keccak256(toHex(`slash ${slash + 1} of provider ${providerId}`)),
    };
    await market.governorLane.run({
      to: stakingManager,
      data: encodeFunctionData({ abi: stakingManagerAbi, functionName: 'slash', args: [order] }),
      label: `slash provider ${providerId}`,
      errorsAbi: stakingManagerAbi,
    });
    await market.verifierLane.run({
      to: providerRegistry,
      data: encodeFunctionData({
        abi: providerRegistryAbi,
        functionName: 'setProviderStatus',
        args: [providerId, STATUS_ACTIVE],
      }),
      label: `let provider ${providerId} back in`,
      errorsAbi: providerRegistryAbi,
    });
  }
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
