import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { iAllocationManagerAbi } from '../../chain/contracts/generated/IAllocationManager.js';
import { iMatchmakerSlasherAbi } from '../../chain/contracts/generated/IMatchmakerSlasher.js';
import { iSlashVaultAbi } from '../../chain/contracts/generated/ISlashVault.js';
import { readEigen } from '../../chain/eigenlayer/eigenCall.js';
import { OffenceBook, type Offence } from '../../chain/judge/offenceBook.js';
import { FAULT_NUMBERS } from '../../protocol/evidence/evidenceAbi.js';
import type { Address } from 'viem';
import { closeLease } from '../../sdk/leases/closeLease.js';
import { getLease } from '../../sdk/leases/getLease.js';
import type { AttackReport } from '../attackReport.js';
import type { PlantedMatch } from '../auditRun.js';
import { publishOperatorTable, type DevnetOperator } from '../deployDevnet.js';
import { smallestQuorum } from '../operatorProcesses.js';
import type { PopulatedMarket } from '../populateMarket.js';
import { SettlementWatch } from '../settlementWatch.js';
import { ATTACK_PROVIDERS, CRONY_PRICE_MICRO } from './attackPlan.js';
import { settleWrongly } from './settleWrongly.js';
import { requireEqual, requireThat, StoryProviders, type SceneReport, type StoryContext } from './storyContext.js';
import { postOrder, type StoryOrder } from './storyOrders.js';

/** Accounts of the market chain that the attack takes beyond those of trade and story. */
export const ATTACK_ACCOUNTS = 8;

export interface AttackOptions {
  /** Of the stake that must sign, in 1/10,000. */
  readonly quorumBps: number;
  /** The providers of `attackPlan`. */
  readonly populated: PopulatedMarket;
}

export interface AttackDependencies {
  /** Starts the watcher and resolves with the account that challenges for it when it is ready. */
  readonly startWatcher: () => Promise<Address>;
  /** Called with what happens next. */
  readonly say: (what: string) => void;
}

export interface AttackScene {
  readonly report: AttackReport;
  /** In a sentence, with what the replay must bear out of the wronged order. */
  readonly scene: SceneReport;
}

const SCENE = 'attack';
const WAD = 10n ** 18n;
const BPS = 10_000n;
const MICRO_MINUTES = 60_000_000n;
const DURATION_MINUTES = 60;

/**
 * A colluding quorum settles a wrong match while every honest operator is stopped. A watcher that is none of them proves it on the stake
 * chain: the signers lose allocated stake, the challenger has its share, the tenant its loss. Then the honest operators go on with the
 * table that is left. Throws SceneFailedError and the errors of the actions.
 */
export async function attackScene(
  context: StoryContext,
  { quorumBps, populated }: AttackOptions,
  { startWatcher, say }: AttackDependencies,
): Promise<AttackScene> {
  const { chain, market, operators, operatorSwitch } = context;
  const { deployment } = market;
  const signers = smallestQuorum(operators, quorumBps);
  const [challenger] = await Promise.all([startWatcher(), operatorSwitch.stopAll()]);
  const providers = new StoryProviders(context, ATTACK_PROVIDERS, populated);
  const [honest, crony] = [providers.named('honest'), providers.named('crony')];
  const tenant = context.newActor();
  const order: StoryOrder = { tenant, providers: [honest, crony], durationMinutes: DURATION_MINUTES };
  const before = await Promise.all(operators.map((operator) => stakeOf(context, operator)));

  const { orderId, spec } = await postOrder(context, order);
  say(`${signers.length} operators collude against order ${orderId}`);
  const planted = await settleWrongly(
    {
      deployment,
      signingKeys: signers.map(({ signingKey }) => signingKey),
      orderId,
      alter: (record) => ({
        ...record,
        machineId: crony.machineId,
        providerId: crony.providerId,
        priceMicroPerHour: CRONY_PRICE_MICRO,
      }),
    },
    { rpc: chain.rpc, lane: chain.lane(chain.nextAccount().privateKey) },
  );
  const wrong = await getLease(tenant.client, { orderId });
  requireEqual(SCENE, 'the machine of the wrong lease', wrong.machineId, crony.machineId);
  requireEqual(SCENE, 'the machine that the rules give', planted.honest.machineId, honest.machineId);
  say(`round ${planted.round} was settled wrongly; waiting for the watcher`);

  const offence = await punished(context, planted, signers.length);
  const after = await Promise.all(operators.map((operator) => stakeOf(context, operator)));
  await requireSlashed(context, { offence, signers, before, after });
  requireEqual(SCENE, 'the challenger', offence.challenger.toLowerCase(), challenger.toLowerCase());
  const payments = await requirePaid(context, { offence, tenant: tenant.address, spec });
  say('the signers are slashed, challenger and tenant are paid');

  await publishOperatorTable(chain, market);
  await Promise.all([operatorSwitch.start(), tenant.act((client) => closeLease(client, { orderId }))]);
  const later = await settledHonestly(context, order, honest.machineId);
  return {
    report: {
      planted,
      offenceId: offence.offenceId,
      fault: offence.fault,
      provenAtBlock: offence.blockNumber,
      stakes: operators.map((operator, index) => ({
        name: operator.name,
        signed: signers.includes(operator),
        before: before[index]?.stake ?? 0n,
        after: after[index]?.stake ?? 0n,
      })),
      collected: offence.collected,
      challenger: { address: challenger, paid: offence.paidToChallenger },
      tenant: { address: tenant.address, loss: payments.loss, paid: offence.paidToVictim },
      rest: offence.collected - offence.paidToChallenger - offence.paidToVictim,
      later,
    },
    scene: {
      scene: SCENE,
      line: `a quorum of ${signers.length} gave order ${orderId} to ${crony.name} instead of ${honest.name}; a watcher proved it and had the signers slashed`,
      proofs: [
        {
          orderId,
          shownBy: (rounds) => {
            const scores = rounds.find(({ round }) => round === planted.round)?.explanation.scores ?? [];
            const [best, worse] = scores;
            const isSo = best?.machineId === honest.machineId && worse?.machineId === crony.machineId;
            return isSo ? `totals ${best.total.toExponential(3)} > ${worse.total.toExponential(3)}` : null;
          },
        },
      ],
    },
  };
}

interface OperatorStake {
  /** What the set can slash, of 1e18 of the operator's stake. */
  readonly magnitude: bigint;
  /** Units of the staked token. */
  readonly stake: bigint;
}

async function stakeOf(context: StoryContext, { address }: DevnetOperator): Promise<OperatorStake> {
  const { deployment, stakeChain } = context.market;
  const { eigenlayer, operatorSet, strategy } = deployment;
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi } as const;
  const [{ currentMagnitude }, allocated] = await Promise.all([
    readEigen(stakeChain.rpc, { ...manager, functionName: 'getAllocation', args: [address, operatorSet, strategy] }),
    readEigen(stakeChain.rpc, {
      ...manager,
      functionName: 'getAllocatedStake',
      args: [operatorSet, [address], [strategy]],
    }),
  ]);
  return { magnitude: currentMagnitude, stake: allocated[0]?.[0] ?? 0n };
}

/** Waits until the offence of the planted batch is proven, every signer slashed, and all paid who are due now. */
function punished(context: StoryContext, planted: PlantedMatch, signerCount: number): Promise<Offence> {
  const { deployment, stakeChain } = context.market;
  const { slasher, vault, deploymentBlock } = deployment.stake;
  const book = new OffenceBook(
    { slasher, vault, curve: deployment.quorum.curve, fromBlock: deploymentBlock },
    { rpc: stakeChain.rpc },
  );
  return context.until(SCENE, 'the watcher to prove the wrong match and have its signers slashed', async () => {
    await book.refresh();
    const [offence] = book.of(planted.messageHash);
    if (offence === undefined || offence.slashes.length < signerCount) return null;
    const shares = offence.slashes.reduce((sum, slash) => sum + slash.shares, 0n);
    const isPaid = offence.paidToChallenger > 0n && offence.paidToVictim > 0n;
    return offence.collected >= shares && isPaid ? offence : null;
  });
}

/** Each signer has lost the part of its allocation that the fault costs, rounded up, and nobody else anything. */
async function requireSlashed(
  context: StoryContext,
  attack: {
    readonly offence: Offence;
    readonly signers: readonly DevnetOperator[];
    readonly before: readonly OperatorStake[];
    readonly after: readonly OperatorStake[];
  },
): Promise<void> {
  const { operators, market } = context;
  const { offence, signers, before, after } = attack;
  const wad = await readEigen(market.stakeChain.rpc, {
    address: market.deployment.stake.slasher,
    abi: iMatchmakerSlasherAbi,
    functionName: 'wadOf',
    args: [FAULT_NUMBERS[offence.fault]],
  });
  const slashed = new Set(offence.slashes.map(({ operator }) => operator.toLowerCase()));
  requireEqual(SCENE, 'the operators that were slashed', slashed.size, signers.length);
  operators.forEach((operator, index) => {
    const [was, is] = [before[index]?.magnitude ?? 0n, after[index]?.magnitude ?? 0n];
    const isSigner = signers.includes(operator);
    requireEqual(
      SCENE,
      `whether ${operator.name} was slashed`,
      String(slashed.has(operator.address.toLowerCase())),
      String(isSigner),
    );
    const cost = isSigner ? (was * wad + WAD - 1n) / WAD : 0n;
    requireEqual(SCENE, `what ${operator.name} has allocated`, is, was - cost);
  });
}

/** Challenger and tenant have what the vault's terms give them, and it arrived. */
async function requirePaid(
  { market }: StoryContext,
  paid: {
    readonly offence: Offence;
    readonly tenant: Address;
    readonly spec: {
      readonly tokenId: number;
      readonly maxPriceMicroPerHour: number;
      readonly durationMinutes: number;
    };
  },
): Promise<{ readonly loss: bigint }> {
  const { deployment, stakeChain } = market;
  const { offence, tenant, spec } = paid;
  const vault = { address: deployment.stake.vault, abi: iSlashVaultAbi } as const;
  const token = { address: deployment.stakeToken, abi: devnetTokenAbi } as const;
  const { rpc } = stakeChain;
  const [bps, rate, withChallenger, withTenant] = await Promise.all([
    readEigen(rpc, { ...vault, functionName: 'challengerBps', args: [] }),
    readEigen(rpc, { ...vault, functionName: 'compensationRate', args: [spec.tokenId] }),
    readEigen(rpc, { ...token, functionName: 'balanceOf', args: [offence.challenger] }),
    readEigen(rpc, { ...token, functionName: 'balanceOf', args: [tenant] }),
  ]);
  const loss = (BigInt(spec.maxPriceMicroPerHour) * BigInt(spec.durationMinutes) * rate) / MICRO_MINUTES;
  requireEqual(SCENE, "the challenger's share", offence.paidToChallenger, (offence.collected * BigInt(bps)) / BPS);
  requireEqual(SCENE, 'what arrived at the challenger', withChallenger, offence.paidToChallenger);
  requireEqual(SCENE, "the tenant's proven loss", offence.victim?.loss ?? 0n, loss);
  requireEqual(SCENE, "the tenant's compensation", offence.paidToVictim, loss);
  requireEqual(SCENE, 'what arrived at the tenant', withTenant, loss);
  requireThat(SCENE, 'the order was worth something', loss > 0n);
  return { loss };
}

/** The tenant orders again, and the operators that were started again give it the better machine. */
async function settledHonestly(
  context: StoryContext,
  order: StoryOrder,
  machineId: number,
): Promise<AttackReport['later']> {
  const { chain, market } = context;
  const watch = new SettlementWatch(market.deployment, chain.blocks, () => undefined);
  try {
    const { orderId } = await postOrder(context, order);
    const { round } = await context.until(SCENE, `the honest operators to match order ${orderId}`, () =>
      Promise.resolve(watch.settlements.find(({ leased }) => leased.includes(orderId)) ?? null),
    );
    const lease = await getLease(order.tenant.client, { orderId });
    requireEqual(SCENE, 'the machine of the later lease', lease.machineId, machineId);
    return { round, orderId, machineId };
  } finally {
    watch.stop();
  }
}
