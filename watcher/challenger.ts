import {
  decodeErrorResult,
  encodeAbiParameters,
  encodeFunctionData,
  decodeFunctionResult,
  keccak256,
  size,
  slice,
} from 'viem';
import type { Abi, Address, Hex } from 'viem';

import { iFaultJudgeAbi } from '../chain/contracts/generated/IFaultJudge.js';
import { iMatchmakerSlasherAbi } from '../chain/contracts/generated/IMatchmakerSlasher.js';
import { iSlashVaultAbi } from '../chain/contracts/generated/ISlashVault.js';
import type { Offence, OffenceBook } from '../chain/judge/offenceBook.js';
import { RpcAnswerError, type Rpc } from '../chain/rpc/rpc.js';
import { callAt, latestBlock, type Block } from '../chain/rpc/rpcCall.js';
import { viewCall } from '../chain/rewards/viewCall.js';
import {
  FeeCapReachedError,
  SpendCapReachedError,
  TransactionRefusedError,
  TransactionRevertedError,
  UnfundedKeyError,
  type SubmissionRequest,
  type SubmissionResult,
} from '../chain/submission/submission.js';
import { FAULT_NUMBERS } from '../protocol/evidence/evidenceAbi.js';
import type { CaseProof, FaultCase } from './caseStore.js';
import type { WatcherEvents } from './watcherEvents.js';

/** Brings a transaction into the stake chain: Submitter in a running watcher. */
export interface TransactionSubmitter {
  submit(request: SubmissionRequest): Promise<SubmissionResult>;
}

/** Where a case stands, as the chain tells it. */
export type CaseStage =
  /** There is no proof to show. */
  | 'unproven'
  /** The judge follows none of the proofs, or the window is over. */
  | 'refused'
  /** The judge follows a proof; this watcher has no key to go on with. */
  | 'provable'
  /** Committed, or about to be. */
  | 'proving'
  /** An offence stands in the chain; signers are slashed and those paid who are due. */
  | 'slashing'
  /** There is nothing left that could be done now. */
  | 'done';

export interface CaseProgress {
  readonly stage: CaseStage;
  readonly detail: string;
  /** Whether a transaction was mined, so that the next step can be looked at right away. */
  readonly acted: boolean;
}

export interface ChallengerOptions {
  readonly judge: Address;
  readonly slasher: Address;
  readonly vault: Address;
  readonly keyBytes: 20 | 64;
}

export interface ChallengerDependencies {
  /** Of the stake chain. */
  readonly rpc: Rpc;
  readonly book: OffenceBook;
  /** With the challenger's key; undefined to look only. */
  readonly sender: { readonly address: Address; readonly submitter: TransactionSubmitter } | undefined;
  readonly events: WatcherEvents;
}

interface Verdict {
  readonly proof: CaseProof;
  readonly signerKeys: readonly Hex[];
}

/** A step's call; `isDue` reads from its result whether it would do anything. */
interface Step {
  readonly name: string;
  readonly to: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly isDue?: (result: unknown) => boolean;
  /** Where an estimate would be too low. */
  readonly gasLimit?: bigint;
}

const SIGNERS_PER_SLASH = 16;
/** A slash goes on when EigenLayer refuses one signer, so the least gas that does not revert would slash nobody. */
const GAS_PER_SLASH_CALL = 500_000n;
const GAS_PER_SIGNER = 800_000n;
/** Who only looks has no address; the judge asks for none. */
const NOBODY: Address = '0x0000000000000000000000000000000000000000';

/**
 * Takes a case through judge, slasher and vault, one transaction at a time. Every step is first asked of the chain as it is now and
 * every call tried before it is paid for, so it can be stopped anywhere, started again, and overtaken by other challengers.
 */
export class Challenger {
  readonly #options: ChallengerOptions;
  readonly #dependencies: ChallengerDependencies;
  /** Verdicts do not change within the window; the judge is asked once a process. */
  readonly #verdicts = new Map<string, Verdict>();

  constructor(options: ChallengerOptions, dependencies: ChallengerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Does the next thing that can be done for a case. The offence book must be fresh. Throws what the RPC throws. */
  async advance(faultCase: FaultCase): Promise<CaseProgress> {
    const offences = this.#offencesOf(faultCase);
    const accused = new Set(offences.flatMap(({ signerKeys }) => signerKeys));
    const judged = await this.#verdictOf(faultCase);
    if (!('proof' in judged) && offences.length === 0) {
      const stage = faultCase.proofs.length === 0 ? 'unproven' : 'refused';
      return { stage, detail: judged.reason, acted: false };
    }
    if ('proof' in judged && judged.signerKeys.some((key) => !accused.has(key))) {
      return this.#prove(faultCase, judged.proof);
    }
    if (this.#dependencies.sender === undefined) {
      return { stage: 'slashing', detail: `${offences.length} offences proven by others`, acted: false };
    }
    for (const offence of offences) {
      const acted = await this.#follow(offence, faultCase);
      if (acted !== undefined) return { stage: 'slashing', detail: acted, acted: true };
    }
    const slashes = offences.reduce((sum, offence) => sum + offence.slashes.length, 0);
    return { stage: 'done', detail: `${slashes} of ${accused.size} signers slashed`, acted: false };
  }

  #offencesOf(faultCase: FaultCase): Offence[] {
    const isEquivocation = faultCase.kind === 'equivocation';
    return this.#dependencies.book
      .of(faultCase.messageHash)
      .filter(({ fault }) => (fault === 'equivocation') === isEquivocation);
  }

  /** The first proof that the judge follows. */
  async #verdictOf(faultCase: FaultCase): Promise<Verdict | { readonly reason: string }> {
    const known = this.#verdicts.get(faultCase.id);
    if (known !== undefined) return known;
    let reason = faultCase.problem ?? 'there is no proof';
    for (const proof of faultCase.proofs) {
      const answer = await this.#ask({
        name: 'judge',
        to: this.#options.judge,
        abi: iFaultJudgeAbi,
        functionName: 'judge',
        args: [FAULT_NUMBERS[proof.fault], proof.evidence],
      });
      if ('refusal' in answer) {
        reason = answer.refusal;
        continue;
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the judge's own ABI
      const { signers } = answer.result as { readonly signers: Hex };
      const { keyBytes } = this.#options;
      const signerKeys = Array.from({ length: size(signers) / keyBytes }, (_, at) =>
        slice(signers, at * keyBytes, (at + 1) * keyBytes),
      );
      const verdict = { proof, signerKeys };
      this.#verdicts.set(faultCase.id, verdict);
      return verdict;
    }
    return { reason };
  }

  async #prove(faultCase: FaultCase, proof: CaseProof): Promise<CaseProgress> {
    const { rpc, sender } = this.#dependencies;
    const { slasher: to } = this.#options;
    if (sender === undefined) return { stage: 'provable', detail: `${proof.fault}, no key to prove it`, acted: false };
    const fault = FAULT_NUMBERS[proof.fault];
    const commitment = commitmentOf(sender.address, fault, proof.evidence, faultCase.salt);
    const head = await rpc.request(latestBlock());
    const committedAt = await rpc.request(
      viewCall(
        { address: to, abi: iMatchmakerSlasherAbi, functionName: 'commitmentBlock', args: [commitment] },
        head.hash,
      ),
    );
    const stage = 'proving';
    const call = { to, abi: iMatchmakerSlasherAbi };
    if (committedAt === 0n) {
      const outcome = await this.#take(
        { ...call, name: 'commit', functionName: 'commit', args: [commitment] },
        faultCase,
      );
      return { stage, detail: `commit: ${outcome.detail}`, acted: outcome.acted };
    }
    if (BigInt(head.number) <= committedAt) return { stage, detail: 'waits for the next block', acted: false };
    const outcome = await this.#take(
      { ...call, name: 'prove', functionName: 'prove', args: [fault, proof.evidence, faultCase.salt] },
      faultCase,
    );
    // Somebody's window may have closed, or the deciding state changed: ask the judge anew.
    if (!outcome.acted) this.#verdicts.delete(faultCase.id);
    return { stage, detail: `prove: ${outcome.detail}`, acted: outcome.acted };
  }

  /** The next step of an offence that is due now; undefined when none is. */
  async #follow(offence: Offence, faultCase: FaultCase): Promise<string | undefined> {
    const { offenceId } = offence;
    const head = await this.#dependencies.rpc.request(latestBlock());
    for (const step of await this.#stepsOf(offence, faultCase, head)) {
      const outcome = await this.#take(step, faultCase);
      if (outcome.acted) return `${step.name} of offence ${offenceId}`;
    }
    return undefined;
  }

  async #stepsOf(offence: Offence, faultCase: FaultCase, head: Block): Promise<Step[]> {
    const { rpc, sender } = this.#dependencies;
    const { slasher, vault } = this.#options;
    const { offenceId, signers, signerKeys, slashes } = offence;
    const at = head.hash;
    const view = { address: vault, abi: iSlashVaultAbi } as const;
    const [{ slashed }, claim, ...noted] = await rpc.batch([
      viewCall({ address: slasher, abi: iMatchmakerSlasherAbi, functionName: 'offenceOf', args: [offenceId] }, at),
      viewCall({ ...view, functionName: 'claimOf', args: [offenceId] }, at),
      ...slashes.map(({ slashId }) => viewCall({ ...view, functionName: 'slashOf', args: [slashId] }, at)),
    ] as const);
    const steps: Step[] = [];
    const open = signerKeys.flatMap((_, index) => (((slashed >> BigInt(index)) & 1n) === 0n ? [index] : []));
    for (let start = 0; start < open.length; start += SIGNERS_PER_SLASH) {
      const chosen = open.slice(start, start + SIGNERS_PER_SLASH);
      const which = chosen.reduce((bits, index) => bits | (1n << BigInt(index)), 0n);
      const call = { to: slasher, abi: iMatchmakerSlasherAbi, functionName: 'slash' };
      const gasLimit = GAS_PER_SLASH_CALL + GAS_PER_SIGNER * BigInt(chosen.length);
      steps.push({ name: 'slash', ...call, args: [offenceId, signers, which], isDue: isAboveZero, gasLimit });
    }
    const ofVault = { to: vault, abi: iSlashVaultAbi } as const;
    slashes.forEach(({ slashId }, index) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answers follow the calls above
      const [, shares] = noted[index] as readonly [Hex, bigint];
      if (shares > 0n)
        steps.push({ name: 'collect', ...ofVault, functionName: 'collect', args: [slashId], isDue: isAboveZero });
    });
    const victim = faultCase.victims.find(({ orderId }) => orderId === offence.orderId);
    if (victim !== undefined && BigInt(claim.tenant) === 0n) {
      const { header, ordersAccount, ownerWord } = victim;
      const snapshot = { header, registryAccount: [], ordersAccount };
      steps.push({
        name: 'proveVictim',
        ...ofVault,
        functionName: 'proveVictim',
        args: [offenceId, snapshot, ownerWord],
      });
    }
    const isOurs = offence.challenger.toLowerCase() === sender?.address.toLowerCase();
    for (const functionName of [...(isOurs ? ['payChallenger'] : []), 'payVictim']) {
      steps.push({ name: functionName, ...ofVault, functionName, args: [offenceId], isDue: isAboveZero });
    }
    return steps;
  }

  /** Tries a step on the newest state, and sends it when it would do something. */
  async #take(step: Step, faultCase: FaultCase): Promise<{ acted: boolean; detail: string }> {
    const { sender, events } = this.#dependencies;
    if (sender === undefined) return { acted: false, detail: 'no key' };
    const tried = await this.#ask(step);
    if ('refusal' in tried) return { acted: false, detail: tried.refusal };
    if (step.isDue?.(tried.result) === false) return { acted: false, detail: 'nothing to do' };
    const { to, abi, functionName, args, name, gasLimit } = step;
    const label = `${name} for round ${faultCase.round}`;
    try {
      const data = encodeFunctionData({ abi, functionName, args });
      const result = await sender.submitter.submit({
        to,
        data,
        label,
        errorsAbi: abi,
        ...(gasLimit === undefined ? {} : { gasLimit }),
      });
      if (result.status === 'lapsed') return { acted: false, detail: 'it lapsed' };
      events.challengeMined(faultCase, name, result.hash, result.receipt.gasUsed);
      return { acted: true, detail: 'mined' };
    } catch (error) {
      if (!isExpected(error)) throw error;
      events.challengeFailed(faultCase, name, error);
      return { acted: false, detail: error.message };
    }
  }

  async #ask(step: Step): Promise<{ readonly result: unknown } | { readonly refusal: string }> {
    const { abi, functionName, args, to } = step;
    const data = encodeFunctionData({ abi, functionName, args });
    const from = this.#dependencies.sender?.address ?? NOBODY;
    try {
      const answer = await this.#dependencies.rpc.request(callAt({ to, data, from }, 'latest'));
      return { result: answer === '0x' ? undefined : decodeFunctionResult({ abi, functionName, data: answer }) };
    } catch (error) {
      if (!(error instanceof RpcAnswerError)) throw error;
      return { refusal: errorNameIn([iMatchmakerSlasherAbi, iFaultJudgeAbi, iSlashVaultAbi], error) };
    }
  }
}

/** What `commit` takes: keccak256(abi.encode(challenger, fault, keccak256(evidence), salt)). */
export function commitmentOf(challenger: Address, fault: number, evidence: Hex, salt: Hex): Hex {
  const types = [{ type: 'address' }, { type: 'uint8' }, { type: 'bytes32' }, { type: 'bytes32' }] as const;
  return keccak256(encodeAbiParameters(types, [challenger, fault, keccak256(evidence), salt]));
}

function isAboveZero(result: unknown): boolean {
  return typeof result === 'bigint' && result > 0n;
}

function isExpected(
  error: unknown,
): error is
  | TransactionRevertedError
  | TransactionRefusedError
  | UnfundedKeyError
  | SpendCapReachedError
  | FeeCapReachedError
  | RpcAnswerError {
  return (
    error instanceof TransactionRevertedError ||
    error instanceof TransactionRefusedError ||
    error instanceof UnfundedKeyError ||
    error instanceof SpendCapReachedError ||
    error instanceof FeeCapReachedError ||
    error instanceof RpcAnswerError
  );
}

function errorNameIn(abis: readonly Abi[], error: RpcAnswerError): string {
  if (error.data === null || error.data.length < 10) return error.message;
  for (const abi of abis) {
    try {
      const { errorName, args } = decodeErrorResult({ abi, data: error.data });
      return `${errorName}(${(args ?? []).map(String).join(', ')})`;
    } catch {
      // Another contract's error.
      continue;
    }
  }
  return `${error.message} (${error.data})`;
}
