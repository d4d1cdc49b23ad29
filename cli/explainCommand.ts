import type { Command } from 'commander';

import { findOrderMatch, readClosedRounds, replayRound } from '../chain/sync/roundReplay.js';
import { explainOrder, type MachineScore, type OrderExplanation } from '../engine/explainOrder.js';
import type { Policy } from '../engine/policy.js';
import { rejectionName } from '../engine/rejectionReason.js';
import type { Snapshot } from '../engine/snapshot.js';
import { decodeBundle } from '../protocol/bundle/decodeBundle.js';
import { roundSeed } from '../protocol/seed.js';
import { readBundleFile } from './bundleFile.js';
import { addReadFlags, openRpc, type ReadFlags } from './marketFlags.js';
import { fieldLines, printResult, tableLines } from './marketOutput.js';
import { integer } from './usage.js';

type Print = (line: string) => void;

interface ExplainFlags extends ReadFlags {
  readonly round?: number;
  readonly bundle?: string;
}

/** A candidate with how far its total lies below the best. */
type RankedScore = MachineScore & { readonly margin: number };

/** Registers `explain`: every machine that a round looked at for an order, with the filter it failed or the terms of its score. */
export function registerExplainCommand(program: Command, print: Print): void {
  addReadFlags(program.command('explain').description('why an order went to its machine, or to none'))
    .argument('<order>', 'order id', integer)
    .option('--round <round>', "round to explain; the order's match when not given, else the last snapshot", integer)
    .option('--bundle <file>', 'round to explain, from a bundle and without any node')
    .action(async (orderId: number, flags: ExplainFlags) => {
      const { snapshot, policy } =
        flags.bundle === undefined ? await roundOf(orderId, flags) : decodeBundle(readBundleFile(flags.bundle));
      const explanation = explainOrder(snapshot, policy, roundSeed(snapshot.snapshotHash, snapshot.round), orderId);
      const candidates = rankedOf(explanation);
      printResult(print, flags.json, {
        json: {
          round: snapshot.round,
          snapshotBlock: snapshot.blockNumber,
          orderId,
          outcome: explanation.outcome,
          eligibility: explanation.eligibility,
          record: explanation.record ?? null,
          decidingReason: explanation.decidingReason === undefined ? null : rejectionName(explanation.decidingReason),
          candidates,
          rejections: explanation.rejections.map(({ reason, ...machine }) => ({
            ...machine,
            reason: rejectionName(reason),
          })),
        },
        lines: explanationLines(snapshot, policy, explanation, candidates),
      });
    });
}

async function roundOf(
  orderId: number,
  flags: ExplainFlags,
): Promise<{ readonly snapshot: Snapshot; readonly policy: Policy }> {
  const { rpc, deployment } = openRpc(flags);
  const rounds = await readClosedRounds(rpc, deployment);
  const match = flags.round === undefined ? await findOrderMatch(rpc, deployment, orderId) : null;
  return replayRound(rpc, deployment, rounds, flags.round ?? match?.round ?? rounds.last);
}

function rankedOf({ scores }: OrderExplanation): RankedScore[] {
  const best = scores[0]?.total ?? 0;
  return scores.map((score) => ({ ...score, margin: best - score.total }));
}

function explanationLines(
  snapshot: Snapshot,
  policy: Policy,
  explanation: OrderExplanation,
  candidates: readonly RankedScore[],
): string[] {
  const { orderId, rejectedByReason, rejections } = explanation;
  const lines = [`order ${orderId} in round ${snapshot.round}: ${outcomeText(explanation)}`];
  if (candidates.length > 0) lines.push('', ...candidateLines(policy, candidates));
  if (rejectedByReason.size > 0) {
    lines.push('', 'machines that could not take it, by the first filter that they fail:');
    const reasons = [...rejectedByReason].sort(([a], [b]) => a - b);
    lines.push(
      ...fieldLines(
        reasons.map(([reason, count]) => {
          const ids = rejections.filter((rejection) => rejection.reason === reason).map(({ machineId }) => machineId);
          return [`  ${rejectionName(reason)}`, `${count}: machine${count === 1 ? '' : 's'} ${ids.join(', ')}`];
        }),
      ),
    );
  }
  return lines;
}

function outcomeText({ outcome, record, eligibility, decidingReason }: OrderExplanation): string {
  if (record !== undefined) {
    const source = record.fromBid ? `bid ${record.bidIndex}` : `offer ${record.offerIndex}`;
    return `machine ${record.machineId} of provider ${record.providerId} at ${record.priceMicroPerHour} micro-units an hour, by ${source}`;
  }
  if (outcome === 'notEligible') return `it could not be matched: ${eligibility}`;
  if (outcome === 'batchFull') return 'not reached: the batch was full before its turn';
  return decidingReason === undefined
    ? 'no machine'
    : `no machine; the furthest came to ${rejectionName(decidingReason)}`;
}

function candidateLines(policy: Policy, candidates: readonly RankedScore[]): readonly string[] {
  const weights = [
    policy.weightPriceBps,
    policy.weightStakeBps,
    policy.weightFitBps,
    policy.weightRegionBps,
    policy.weightUptimeBps,
    policy.weightReputationBps,
    policy.weightPackingBps,
  ];
  const head = ['machine', 'provider', 'price/h', 'price', 'stake', 'fit', 'region', 'uptime', 'reputation', 'packing'];
  return [
    'candidates, the best first (components of 10000; total = compliance x weighted sum + jitter):',
    ...tableLines(
      [...head, 'compliance', 'base', 'jitter', 'total', 'behind'],
      [
        ['weight', '', '', ...weights.map(String), '', '', '', '', ''],
        ...candidates.map(({ components, ...score }) =>
          [
            score.machineId,
            score.providerId,
            score.priceMicroPerHour,
            components.price,
            components.stake,
            components.fit,
            components.region,
            components.uptime,
            components.reputation,
            components.packing,
            score.complianceBps,
            score.base,
            score.jitter,
            score.total,
            score.margin,
          ].map(String),
        ),
      ],
    ),
  ];
}
