import { decodeFunctionData, getAbiItem, keccak256, toFunctionSelector } from 'viem';
import type { Address, Hex } from 'viem';
import { hashMatchBatch } from '../../protocol/matchBatch.js';
import type { MatchBatch } from '../../protocol/matchBatch.js';
import type { PolicyStruct } from '../../protocol/policyStruct.js';
import { iMatchSettlementAbi } from '../contracts/generated/IMatchSettlement.js';

/** One call of settle as it stands in some call data. */
export interface SettleCall {
  readonly messageHash: Hex;
  readonly batch: MatchBatch;
  /** As settlement takes it, its packing terms by hash. */
  readonly policy: PolicyStruct;
  readonly records: Hex;
  /** In the form of the market's quorum verifier. */
  readonly certificate: Hex;
}

const SETTLE_SELECTOR = toFunctionSelector(getAbiItem({ abi: iMatchSettlementAbi, name: 'settle' })).slice(2);

/** Every call of settle that stands in `input`, at whatever byte it begins; what does not decode is none. */
export function findSettleCalls(
  input: Hex,
  domain: { readonly chainId: number; readonly settlement: Address },
): readonly SettleCall[] {
  const calls: SettleCall[] = [];
  for (let at = input.indexOf(SETTLE_SELECTOR, 2); at !== -1; at = input.indexOf(SETTLE_SELECTOR, at + 1)) {
    if (at % 2 === 1) continue;
    try {
      const call = decodeFunctionData({ abi: iMatchSettlementAbi, data: `0x${input.slice(at)}` });
      if (call.functionName !== 'settle') continue;
      const [encoded, policy, records, certificate] = call.args;
      if (keccak256(records) !== encoded.recordsHash) continue;
      const batch = { ...encoded, round: Number(encoded.round), snapshotBlock: Number(encoded.snapshotBlock) };
      calls.push({
        messageHash: hashMatchBatch(batch, domain),
        batch,
        policy,
        records,
        certificate,
      });
    } catch {
      // The selector's bytes occur by chance inside other data.
      continue;
    }
  }
  return calls;
}
