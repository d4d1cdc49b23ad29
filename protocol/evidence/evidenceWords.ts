import type { BatchFinding, MachineInFault } from '../../engine/auditBatch.js';
import {
  bidSlot,
  MACHINE_OFFER_WORD,
  MACHINE_WORD,
  machineSlot,
  ORDER_OWNER_WORD,
  ORDER_SPEC_WORD,
  ORDER_WORD,
  ORDERS_COUNTER_SLOT,
  orderSlot,
  PROVIDER_WORD,
  providerSlot,
  REGISTRY_COUNTERS_SLOT,
} from '../words/slots.js';

/** Which of the two contracts that the judge reads holds a word. */
export type EvidenceAccount = 'registry' | 'orders';

/** A word to prove at the snapshot. */
export interface EvidenceWord {
  readonly account: EvidenceAccount;
  readonly slot: bigint;
}

/** Words that the evidence of a finding shows, each once. */
export function evidenceWordsOf(finding: BatchFinding): EvidenceWord[] {
  return distinct(listed(finding));
}

/** The word that names the tenant whom a fault wronged; undefined when no open order was. */
export function victimWordOf(finding: BatchFinding): EvidenceWord | undefined {
  return hasVictim(finding) ? orders(orderSlot(finding.orderId, ORDER_OWNER_WORD)) : undefined;
}

/** Whether the evidence shows an open order, whose tenant can then be made whole. */
export function hasVictim(finding: BatchFinding): boolean {
  return finding.fault === 'betterCandidate' || finding.fault === 'omittedOrder' || finding.orderIsOpen;
}

/**
 * Findings in the order to try them, one being enough for a batch: those with a tenant to make whole first, then those that show the
 * fewest words, then as they were found.
 */
export function byCost(findings: readonly BatchFinding[]): BatchFinding[] {
  const cost = (finding: BatchFinding) => (hasVictim(finding) ? 0 : 1_000) + evidenceWordsOf(finding).length;
  return [...findings].sort((a, b) => cost(a) - cost(b));
}

function listed(finding: BatchFinding): EvidenceWord[] {
  const { orderId } = finding;
  const orderWord = orders(orderSlot(orderId, ORDER_WORD));
  const orderAndSpec = [orderWord, orders(orderSlot(orderId, ORDER_SPEC_WORD))];
  switch (finding.fault) {
    case 'wrongRecord':
      return finding.machine === null ? [orderWord] : [...orderAndSpec, ...machineWords(orderId, finding.machine)];
    case 'betterCandidate':
      return [...orderAndSpec, ...machineWords(orderId, finding.winner), ...machineWords(orderId, finding.candidate)];
    case 'omittedOrder':
      return [...orderAndSpec, ...machineWords(orderId, finding.candidate)];
    default: {
      const shownOrder = finding.orderIsOpen ? [orderWord] : [];
      switch (finding.name) {
        case 'order':
          return [orders(ORDERS_COUNTER_SLOT)];
        case 'machine':
          return finding.machineId === 0 ? shownOrder : [registry(REGISTRY_COUNTERS_SLOT), ...shownOrder];
        case 'offer':
          return [registry(machineSlot(finding.machineId, MACHINE_WORD)), ...shownOrder];
        default:
          return [orderWord];
      }
    }
  }
}

function machineWords(orderId: number, machine: MachineInFault): EvidenceWord[] {
  const { machineId, providerId, offerIndex, bidIndex } = machine;
  return [
    registry(machineSlot(machineId, MACHINE_WORD)),
    registry(providerSlot(providerId, PROVIDER_WORD)),
    ...(offerIndex === null ? [] : [registry(machineSlot(machineId, MACHINE_OFFER_WORD + offerIndex))]),
    ...(bidIndex === null ? [] : [orders(bidSlot(orderId, bidIndex))]),
  ];
}

function registry(slot: bigint): EvidenceWord {
  return { account: 'registry', slot };
}

function orders(slot: bigint): EvidenceWord {
  return { account: 'orders', slot };
}

function distinct(words: readonly EvidenceWord[]): EvidenceWord[] {
  return [...new Map(words.map((word) => [word.slot, word])).values()];
}
