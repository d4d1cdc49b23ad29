import * as fc from 'fast-check';
import {
  decodeErrorResult,
  decodeEventLog,
  encodeAbiParameters,
  encodeFunctionData,
  encodePacked,
  keccak256,
  size,
} from 'viem';
import type { Address, Hex } from 'viem';
import { sign } from 'viem/accounts';
import { faultJudgeAbi } from '../../chain/contracts/generated/FaultJudge.js';
import { iAllocationManagerAbi } from '../../chain/contracts/generated/IAllocationManager.js';
import { matchmakerSlasherAbi } from '../../chain/contracts/generated/MatchmakerSlasher.js';
import { readEigen } from '../../chain/eigenlayer/eigenCall.js';
import { registerOperator } from '../../chain/eigenlayer/registerOperator.js';
import { RpcAnswerError } from '../../chain/rpc/rpc.js';
import { transactionReceipt } from '../../chain/rpc/rpcCall.js';
import type { Receipt } from '../../chain/rpc/rpcCall.js';
import { SeededRandom } from '../../devnet/random.js';
import { auditBatch } from '../../engine/auditBatch.js';
import type { BatchFinding } from '../../engine/auditBatch.js';
import { matchRound } from '../../engine/matchRound.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchRecord } from '../../engine/record.js';
import {
  roundPlanArbitrary,
  versionOneRoundPlanArbitrary,
  versionTwoRoundPlanArbitrary,
} from '../../engine/reference/arbitrarySnapshot.js';
import type { RoundPlan } from '../../engine/reference/arbitrarySnapshot.js';
import {
  KINDS_WITH_PACKING,
  KINDS_WITHOUT_PACKING,
  PLANTED_KINDS,
  plantFault,
} from '../../engine/reference/plantFault.js';
import type { PlantInput } from '../../engine/reference/plantFault.js';
import { encodeCertificate, quorumDigest } from '../../protocol/certificate.js';
import type { CertificateVote } from '../../protocol/certificate.js';
import { encodeEquivocation, encodeEvidence } from '../../protocol/evidence/encodeEvidence.js';
import type { SignedBatch } from '../../protocol/evidence/encodeEvidence.js';
import { FAULT_NUMBERS } from '../../protocol/evidence/evidenceAbi.js';
import type { FaultName } from '../../protocol/evidence/evidenceAbi.js';
import { byCost, evidenceWordsOf } from '../../protocol/evidence/evidenceWords.js';
import { hashMatchBatch } from '../../protocol/matchBatch.js';
import type { MatchBatch } from '../../protocol/matchBatch.js';
import { operatorSetKey } from '../../protocol/operatorSet.js';
import { hashTable, packTable } from '../../protocol/operatorTable.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import { hashPolicy } from '../../protocol/policyHash.js';
import { encodeRecords, hashRecords } from '../../protocol/records.js';
import { roundSeed } from '../../protocol/seed.js';
import { control } from '../support/marketChain.js';
import { startStakeChain, type StakeChain, WHOLE } from '../support/stakeChain.js';
import { testDeployment } from '../support/testDeployment.js';
import { attacksOn, type HonestRound } from './honestAttacks.js';
import { PlannedState } from './plannedState.js';
import { plannedSnapshot } from './plannedWords.js';
import { withPackingTerms } from './withPackingTerms.js';

export interface FaultCampaignOptions {
  /** Wrong batches that a quorum signs. */
  readonly planted: number;
  /** Challenges of honest batches. */
  readonly honestAttempts: number;
  readonly seed: number;
  /** Of the rules that rounds are matched by; null for rounds of either version. */
  readonly rulesVersion: 1 | 2 | null;
  readonly onProgress?: (line: string) => void;
}

export interface FaultCampaignResult {
  readonly planted: number;
  /** Planted batches for which every signer lost allocated stake. */
  readonly slashed: number;
  /** Different ways to be wrong that were planted. */
  readonly kinds: number;
  readonly honestAttempts: number;
  /** Challenges of honest batches that the judge let pass. */
  readonly honestSlashed: number;
  readonly seed: number;
  /** What went wrong, each with its kind and the seed of its plan; empty when all went right. */
  readonly problems: readonly string[];
  /** How the judge refused challenges of honest batches, by error. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Planted batches and challenges of honest ones, by the version of the rules. */
  readonly versions: Readonly<Record<number, { readonly planted: number; readonly honestAttempts: number }>>;
}

/** A batch that some operators signed, and what is needed to show it to the judge. */
interface Signed {
  readonly batch: SignedBatch;
  readonly records: readonly MatchRecord[];
  readonly recordsHex: Hex;
  /** Positions in the table. */
  readonly signers: readonly number[];
}

interface Seat {
  readonly operator: Address;
  readonly signingKey: Hex;
  readonly entry: TableEntry;
}

const EQUIVOCATION = 'equivocation';

/** Every way in which a batch is planted to be wrong. */
export const CAMPAIGN_KINDS = [...PLANTED_KINDS, EQUIVOCATION] as const;

type CampaignKind = (typeof CAMPAIGN_KINDS)[number];

interface RoundsOfVersion {
  readonly plans: fc.Arbitrary<RoundPlan>;
  /** Kinds that none of these rounds has room for. */
  readonly without: readonly CampaignKind[];
}

const EITHER_VERSION: RoundsOfVersion = { plans: roundPlanArbitrary, without: [] };
const BY_VERSION: Readonly<Record<1 | 2, RoundsOfVersion>> = {
  1: { plans: versionOneRoundPlanArbitrary, without: KINDS_WITH_PACKING },
  2: { plans: versionTwoRoundPlanArbitrary, without: KINDS_WITHOUT_PACKING },
};

const STAKES = [40n, 30n, 20n, 10n];
/** Challenge window of the campaign's judge: planned snapshots lie in the past. */
const WINDOW_SECONDS = 2 ** 31;
const CHALLENGER_INDEX = 9;
const GAS: Hex = '0xf42400';
const ATTEMPTS_A_BATCH = 40;
const CALLS_A_REQUEST = 20;
const ROUNDS_TO_FIND_AN_OCCASION = 20_000;

/**
 * Plants wrong batches of every kind and has them proven and slashed on a chain with EigenLayer, then challenges honest batches in every
 * way. The same seed plants the same. Throws the errors of the RPC.
 */
export async function runFaultCampaign(options: FaultCampaignOptions): Promise<FaultCampaignResult> {
  const chain = await startStakeChain({ challengeWindowSeconds: WINDOW_SECONDS, wrongBatchBps: 5_000 });
  try {
    const campaign = new FaultCampaign(options, chain, await seatOperators(chain));
    await campaign.plantAll();
    await campaign.attackAll();
    return campaign.result();
  } finally {
    await chain.stop();
  }
}

async function seatOperators(chain: StakeChain): Promise<Seat[]> {
  const seats: Seat[] = [];
  for (const [index, whole] of STAKES.entries()) {
    const lane = chain.lane(index + 1);
    const stake = whole * WHOLE;
    await chain.fund(lane.address, stake);
    const registration = chain.registration(index + 1, stake);
    const { operator, signer } = await registerOperator(registration, { lane, rpc: chain.rpc });
    const key = signer.toLowerCase() as Hex;
    seats.push({ operator, signingKey: registration.signingKey, entry: { key, weight: stake } });
  }
  return seats;
}

class FaultCampaign {
  readonly #options: FaultCampaignOptions;
  readonly #chain: StakeChain;
  readonly #seats: readonly Seat[];
  readonly #entries: readonly TableEntry[];
  readonly #random: SeededRandom;
  readonly #plans: fc.Arbitrary<RoundPlan>;
  readonly #plantable: readonly CampaignKind[];
  readonly #versions = new Map<number, { planted: number; honestAttempts: number }>();
  readonly #challenger: Address;
  readonly #kinds = new Set<string>();
  readonly #problems: string[] = [];
  readonly #refusals = new Map<string, number>();
  #planSeed: number;
  #planted = 0;
  #slashed = 0;
  #attempts = 0;
  #honestSlashed = 0;

  constructor(options: FaultCampaignOptions, chain: StakeChain, seats: readonly Seat[]) {
    this.#options = options;
    this.#chain = chain;
    this.#seats = seats;
    this.#entries = seats.map(({ entry }) => entry);
    this.#random = new SeededRandom(options.seed);
    this.#planSeed = options.seed * 1_000_003;
    const { plans, without } = options.rulesVersion === null ? EITHER_VERSION : BY_VERSION[options.rulesVersion];
    this.#plans = plans;
    this.#plantable = CAMPAIGN_KINDS.filter((kind) => !without.includes(kind));
    this.#challenger = chain.account(CHALLENGER_INDEX).account.address;
  }

  result(): FaultCampaignResult {
    return {
      planted: this.#planted,
      slashed: this.#slashed,
      kinds: this.#kinds.size,
      honestAttempts: this.#attempts,
      honestSlashed: this.#honestSlashed,
      seed: this.#options.seed,
      problems: this.#problems,
      refusals: Object.fromEntries([...this.#refusals].sort(([, a], [, b]) => b - a)),
      versions: Object.fromEntries(this.#versions),
    };
  }

  /** Kinds take turns, so that each is planted about as often as any other. */
  async plantAll(): Promise<void> {
    for (let index = 0; this.#planted < this.#options.planted; index++) {
      await this.#plant(this.#plantable[index % this.#plantable.length]!);
      if (this.#planted % 250 === 0) this.#say(`${this.#planted} planted, ${this.#slashed} slashed`);
    }
  }

  async attackAll(): Promise<void> {
    const { honestAttempts } = this.#options;
    while (this.#attempts < honestAttempts) {
      const { state, round } = this.#roundOf(this.#nextPlan());
      if (round.records.length === 0) continue;
      const signed = await this.#signQuorum(round, round.records);
      const attempts = Math.min(ATTEMPTS_A_BATCH, honestAttempts - this.#attempts);
      const evidence = await this.#attacks(state, round, signed, attempts);
      this.#countOf(round).honestAttempts += evidence.length;
      for (let from = 0; from < evidence.length; from += CALLS_A_REQUEST) {
        await Promise.all(evidence.slice(from, from + CALLS_A_REQUEST).map((each) => this.#attack(each)));
      }
      if (Math.floor(this.#attempts / 5_000) !== Math.floor((this.#attempts - evidence.length) / 5_000))
        this.#say(`${this.#attempts} challenges of honest batches, ${this.#honestSlashed} let pass`);
    }
  }

  /** The evidence of attacks on an honest batch, those against its signatures among them. */
  async #attacks(
    state: PlannedState,
    round: HonestRound,
    signed: Signed,
    count: number,
  ): Promise<readonly { readonly fault: FaultName; readonly evidence: Hex }[]> {
    const attacks = attacksOn(round, count - Math.min(count, 2));
    const other = await this.#sign({ ...signed.batch.batch, round: round.snapshot.round + 1 }, signed.signers);
    return [
      ...attacks.map(({ finding, policy, packing }) => {
        const evidence = this.#evidence(state, policy, signed, finding);
        return {
          fault: finding.fault,
          evidence: packing === null ? evidence : withPackingTerms(finding.fault, evidence, packing),
        };
      }),
      { fault: EQUIVOCATION, evidence: encodeEquivocation(signed.batch, signed.batch) } as const,
      { fault: EQUIVOCATION, evidence: encodeEquivocation(signed.batch, other) } as const,
    ].slice(0, count);
  }

  async #attack({ fault, evidence }: { readonly fault: FaultName; readonly evidence: Hex }): Promise<void> {
    this.#attempts++;
    const refusal = await this.#refusal(fault, evidence);
    if (refusal === null) {
      this.#honestSlashed++;
      this.#note(`an honest batch was found guilty of ${fault}`);
      return;
    }
    this.#refusals.set(refusal, (this.#refusals.get(refusal) ?? 0) + 1);
  }

  /** The error with which the judge refuses evidence, null when it does not. */
  async #refusal(fault: FaultName, evidence: Hex): Promise<string | null> {
    const { judge } = this.#chain.stakeSide;
    try {
      await readEigen(this.#chain.rpc, {
        address: judge,
        abi: faultJudgeAbi,
        functionName: 'judge',
        args: [FAULT_NUMBERS[fault], evidence],
      });
      return null;
    } catch (error) {
      return refusalName(error);
    }
  }

  async #plant(kind: CampaignKind): Promise<void> {
    const occasion = this.#occasion(kind);
    if (occasion === null) {
      this.#note(`${kind}: no round offered an occasion`);
      this.#planted++;
      return;
    }
    this.#kinds.add(kind);
    this.#planted++;
    const { state, round, records } = occasion;
    this.#countOf(round).planted++;
    const signed = await this.#signQuorum(round, records);
    const shown =
      kind === EQUIVOCATION ? await this.#equivocation(round, signed) : this.#firstFinding(state, round, signed);
    if (shown === null) {
      this.#note(`${kind}: the audit finds no fault`);
      return;
    }
    const problem = await this.#proveAndSlash(shown.fault, shown.evidence, signed.signers);
    if (problem === null) this.#slashed++;
    else this.#note(`${kind}: ${problem}`);
  }

  /** A random round in which the kind can be planted. */
  #occasion(kind: CampaignKind): { state: PlannedState; round: HonestRound; records: readonly MatchRecord[] } | null {
    for (let tries = 0; tries < ROUNDS_TO_FIND_AN_OCCASION; tries++) {
      const plan = this.#nextPlan();
      // Room seldom depends on the seed, for which all proofs are needed: most rounds without room are told by any.
      const trial = { ...plannedSnapshot(plan), policy: plan.policy, seed: plan.seed, choose: () => 0 };
      if (recordsWith(kind, trial).length === 0) continue;
      const { state, round } = this.#roundOf(plan);
      const records = recordsWith(kind, round);
      if (records.length > 0) return { state, round, records };
    }
    return null;
  }

  #countOf({ policy }: HonestRound): { planted: number; honestAttempts: number } {
    const count = this.#versions.get(policy.rulesVersion) ?? { planted: 0, honestAttempts: 0 };
    this.#versions.set(policy.rulesVersion, count);
    return count;
  }

  #nextPlan(): RoundPlan {
    const [plan] = fc.sample(this.#plans, { seed: ++this.#planSeed, numRuns: 1 });
    return plan!;
  }

  #roundOf(plan: RoundPlan): { state: PlannedState; round: HonestRound } {
    const state = new PlannedState(plan, testDeployment().contracts);
    const { snapshot, nextOrderId } = state;
    const { policy } = plan;
    const seed = roundSeed(snapshot.snapshotHash, snapshot.round);
    const records = matchRound(snapshot, policy, seed);
    const choose = (count: number): number => this.#random.below(count);
    return { state, round: { snapshot, policy, seed, records, nextOrderId, choose } };
  }

  #firstFinding(
    state: PlannedState,
    round: HonestRound,
    signed: Signed,
  ): { readonly fault: FaultName; readonly evidence: Hex } | null {
    const { snapshot, policy, seed, nextOrderId } = round;
    const [finding] = byCost(auditBatch({ snapshot, policy, seed, nextOrderId, records: signed.records }));
    return finding === undefined
      ? null
      : { fault: finding.fault, evidence: this.#evidence(state, policy, signed, finding) };
  }

  async #equivocation(
    round: HonestRound,
    signed: Signed,
  ): Promise<{ readonly fault: FaultName; readonly evidence: Hex }> {
    const other = await this.#sign(
      { ...signed.batch.batch, snapshotBlock: round.snapshot.blockNumber + 1 },
      signed.signers,
    );
    return { fault: EQUIVOCATION, evidence: encodeEquivocation(signed.batch, other) };
  }

  #evidence(state: PlannedState, policy: Policy, signed: Signed, finding: BatchFinding): Hex {
    return encodeEvidence(finding, {
      signed: signed.batch,
      policy,
      records: signed.recordsHex,
      words: state.wordsFor(evidenceWordsOf(finding)),
      spec: state.specOf(finding.orderId),
    });
  }

  /** Commits, proves and slashes; says what went wrong, null when every signer lost stake. The chain is put back after. */
  async #proveAndSlash(fault: FaultName, evidence: Hex, signers: readonly number[]): Promise<string | null> {
    const { rpc, stakeSide } = this.#chain;
    const before = (await rpc.request(control('evm_snapshot', []))) as Hex;
    try {
      const magnitudes = await this.#magnitudes(signers);
      const salt = keccak256(encodePacked(['uint256'], [BigInt(this.#planted)]));
      const commitment = keccak256(
        encodeAbiParameters(
          [{ type: 'address' }, { type: 'uint8' }, { type: 'bytes32' }, { type: 'bytes32' }],
          [this.#challenger, FAULT_NUMBERS[fault], keccak256(evidence), salt],
        ),
      );
      const slasher = { abi: matchmakerSlasherAbi } as const;
      await this.#send(encodeFunctionData({ ...slasher, functionName: 'commit', args: [commitment] }));
      const proven = await this.#send(
        encodeFunctionData({ ...slasher, functionName: 'prove', args: [FAULT_NUMBERS[fault], evidence, salt] }),
      );
      const [log] = proven.logs;
      if (!proven.succeeded || log === undefined)
        return `${fault} was not proven: ${await this.#refusal(fault, evidence)}`;
      const { args } = decodeEventLog({
        ...slasher,
        eventName: 'OffenceProven',
        topics: log.topics as [Hex, ...Hex[]],
        data: log.data,
      });
      const which = (1n << BigInt(size(args.signers) / 20)) - 1n;
      const slashed = await this.#send(
        encodeFunctionData({ ...slasher, functionName: 'slash', args: [args.offenceId, args.signers, which] }),
      );
      if (!slashed.succeeded) return `slash of ${stakeSide.slasher} reverted`;
      const after = await this.#magnitudes(signers);
      const unharmed = signers.filter((_, index) => after[index]! >= magnitudes[index]!);
      return unharmed.length === 0 ? null : `signers ${unharmed.join(', ')} lost nothing`;
    } finally {
      await rpc.request(control('evm_revert', [before]));
    }
  }

  async #magnitudes(signers: readonly number[]): Promise<bigint[]> {
    const { rpc, eigenlayer, stakeSide, strategy } = this.#chain;
    return Promise.all(
      signers.map(async (position) => {
        const { currentMagnitude } = await readEigen(rpc, {
          address: eigenlayer.allocationManager,
          abi: iAllocationManagerAbi,
          functionName: 'getAllocation',
          args: [this.#seats[position]!.operator, stakeSide.operatorSet, strategy],
        });
        return currentMagnitude;
      }),
    );
  }

  /** From an account whose key the node holds: the chain is put back often, and then only the node knows the nonce. */
  async #send(data: Hex): Promise<Receipt> {
    const { rpc, stakeSide } = this.#chain;
    const transaction = { from: this.#challenger, to: stakeSide.slasher, data, gas: GAS };
    // Answers once the transaction is mined.
    const { transactionHash: hash } = (await rpc.request(control('eth_sendTransactionSync', [transaction]))) as Pick<
      Receipt,
      'transactionHash'
    >;
    const receipt = await rpc.request(transactionReceipt(hash));
    if (receipt === null) throw new RpcAnswerError(`transaction ${hash} has no receipt although it was mined`);
    return receipt;
  }

  async #signQuorum(round: HonestRound, records: readonly MatchRecord[]): Promise<Signed> {
    const { snapshot, policy } = round;
    const recordsHex = encodeRecords(records);
    const batch: MatchBatch = {
      round: snapshot.round,
      snapshotBlock: snapshot.blockNumber,
      snapshotHash: snapshot.snapshotHash,
      policyHash: hashPolicy(policy),
      operatorSetKey: operatorSetKey(this.#chain.stakeSide.operatorSet),
      tableTimestamp: 1_700_000_000,
      tableHash: hashTable(this.#entries),
      recordsHash: hashRecords(recordsHex),
      matchCount: records.length,
    };
    // Every set of signers that is just a quorum, or more than one.
    const signers = this.#random.pick(
      [
        [0, 1],
        [0, 1, 2],
        [0, 1, 3],
        [0, 2, 3],
        [0, 1, 2, 3],
      ].filter((set) => this.#carries(set, policy.quorumBps)),
    );
    return { batch: await this.#sign(batch, signers), records, recordsHex, signers };
  }

  #carries(positions: readonly number[], quorumBps: number): boolean {
    const signed = positions.reduce((sum, position) => sum + this.#entries[position]!.weight, 0n);
    const total = this.#entries.reduce((sum, { weight }) => sum + weight, 0n);
    return signed * 10_000n > total * BigInt(quorumBps);
  }

  async #sign(batch: MatchBatch, signers: readonly number[]): Promise<SignedBatch> {
    const { chainId, contracts, quorum } = testDeployment();
    const messageHash = hashMatchBatch(batch, { chainId, settlement: contracts.matchSettlement });
    const hash = quorumDigest(quorum, { referenceTimestamp: batch.tableTimestamp, messageHash });
    const votes: CertificateVote[] = await Promise.all(
      signers.map(async (position) => {
        const { entry, signingKey } = this.#seats[position]!;
        return { signer: entry.key, signature: await sign({ hash, privateKey: signingKey, to: 'hex' }) };
      }),
    );
    const certificate = encodeCertificate({ curve: 'ecdsa', checkedBy: 'table' }, this.#entries, votes);
    return { batch, table: packTable(this.#entries), certificate };
  }

  #note(problem: string): void {
    this.#problems.push(`${problem} (plan ${this.#planSeed})`);
  }

  #say(line: string): void {
    this.#options.onProgress?.(line);
  }
}

/** A round's records with a fault of the kind, none where it has no room for it. */
function recordsWith(kind: CampaignKind, round: PlantInput): readonly MatchRecord[] {
  if (kind === EQUIVOCATION) return matchRound(round.snapshot, round.policy, round.seed);
  return plantFault(kind, round) ?? [];
}

function refusalName(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof RpcAnswerError) || cause.data === null) throw error;
  return decodeErrorResult({ abi: faultJudgeAbi, data: cause.data }).errorName;
}
