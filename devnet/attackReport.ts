import type { Address, Hex } from 'viem';
import type { FaultName } from '../protocol/evidence/evidenceAbi.js';
import { formatAmount, formatMicro } from '../sdk/amounts.js';
import type { PlantedMatch } from './auditRun.js';
import { wrapWords } from './wrapWords.js';

/** What an operator had at stake in the set before and after an attack, units of the staked token. */
export interface StakeChange {
  readonly name: string;
  readonly signed: boolean;
  readonly before: bigint;
  readonly after: bigint;
}

/** An attack as the chains tell it. Amounts in units of the staked token. */
export interface AttackReport {
  readonly planted: PlantedMatch;
  readonly offenceId: Hex;
  readonly fault: FaultName;
  /** Blocks of the stake chain from the first that the settlement could be seen in to the one that proved the offence. */
  readonly provenAtBlock: number;
  readonly stakes: readonly StakeChange[];
  readonly collected: bigint;
  readonly challenger: { readonly address: Address; readonly paid: bigint };
  readonly tenant: { readonly address: Address; readonly loss: bigint; readonly paid: bigint };
  /** What of the pot is the treasury's after the claim period. */
  readonly rest: bigint;
  /** The tenant's next order, which the honest operators matched. */
  readonly later: { readonly round: number; readonly orderId: number; readonly machineId: number };
}

/** What `--json` tells of an attack; amounts in units of the staked token as decimal strings. */
export interface AttackResult {
  readonly round: number;
  readonly orderId: number;
  readonly fault: FaultName;
  readonly offenceId: Hex;
  readonly signers: number;
  readonly slashed: number;
  /** Allocated by the signers together. */
  readonly stakeBefore: string;
  readonly stakeAfter: string;
  readonly collected: string;
  readonly paidToChallenger: string;
  readonly tenantLoss: string;
  readonly paidToTenant: string;
  readonly leftInVault: string;
  /** A later round that the honest operators settled. */
  readonly laterRound: number;
}

const STAKE_DECIMALS = 18;
const LABEL_WIDTH = 20;

/** What each fault says of a batch, for people. */
const FAULT_WORDS: Readonly<Record<FaultName, string>> = {
  wrongRecord: 'a record that breaks a rule on the face of it',
  betterCandidate: 'another machine was eligible and scored higher',
  unknownName: 'a record names what never existed',
  omittedOrder: 'an order was left out that a machine could take',
  equivocation: 'one key signed two batches of one round',
};

/** The attack for the last line of a run. */
export function attackResult(report: AttackReport): AttackResult {
  const signers = report.stakes.filter(({ signed }) => signed);
  const sum = (of: (stake: StakeChange) => bigint): string =>
    signers.reduce((total, stake) => total + of(stake), 0n).toString();
  return {
    round: report.planted.round,
    orderId: report.planted.settled.orderId,
    fault: report.fault,
    offenceId: report.offenceId,
    signers: signers.length,
    slashed: signers.filter(({ before, after }) => after < before).length,
    stakeBefore: sum(({ before }) => before),
    stakeAfter: sum(({ after }) => after),
    collected: report.collected.toString(),
    paidToChallenger: report.challenger.paid.toString(),
    tenantLoss: report.tenant.loss.toString(),
    paidToTenant: report.tenant.paid.toString(),
    leftInVault: report.rest.toString(),
    laterRound: report.later.round,
  };
}

/** The attack for people, below the sentences that sum it up: what was done, what was proven, who lost what, who was paid. */
export function attackLines(report: AttackReport, sentences: readonly string[]): string[] {
  const { planted, stakes, challenger, tenant, later } = report;
  const { settled, honest, round } = planted;
  const spon = (units: bigint): string => `${formatAmount(units, STAKE_DECIMALS)} SPON`;
  const price = (micro: number): string => `${formatMicro(micro)} uSPON per hour`;
  const line = (label: string, words: string): string[] => wrapWords(`    ${label.padEnd(LABEL_WIDTH)}  `, words);
  return [
    ...wrapWords('  the attack           ', sentences.join(' ')),
    ...line(
      `round ${round}`,
      `order ${settled.orderId} was settled on machine ${settled.machineId} of provider ${settled.providerId} for ${price(settled.priceMicroPerHour)}; the rules give it machine ${honest.machineId} of provider ${honest.providerId} for ${price(honest.priceMicroPerHour)}`,
    ),
    ...line(
      'offence',
      `${report.fault}: ${FAULT_WORDS[report.fault]}; proven in block ${report.provenAtBlock} of the stake chain by ${challenger.address}`,
    ),
    ...stakes.flatMap(({ name, signed, before, after }) =>
      line(
        name,
        signed
          ? `signed it: ${spon(before)} allocated before, ${spon(after)} after`
          : `did not sign: ${spon(after)} as before`,
      ),
    ),
    ...line('slashed', `${spon(report.collected)} came into the vault`),
    ...line('tenant', `${spon(tenant.paid)} of a loss of ${spon(tenant.loss)} paid to ${tenant.address}`),
    ...line('challenger', `${spon(challenger.paid)} paid to ${challenger.address}`),
    ...line('treasury', `${spon(report.rest)} wait in the vault for the end of the claim period`),
    ...line(
      'afterwards',
      `the honest operators settled round ${later.round}, and order ${later.orderId} of the same tenant went to machine ${later.machineId}`,
    ),
  ];
}
