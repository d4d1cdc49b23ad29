import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';

import { buildMatchBatch } from '../chain/buildMatchBatch.js';
import type { Deployment } from '../chain/deployment.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import type { RoundContext } from '../chain/sync/roundFollower.js';
import { readClosedRounds, replayRound } from '../chain/sync/roundReplay.js';
import { matchRound } from '../engine/matchRound.js';
import { decodeBundle } from '../protocol/bundle/decodeBundle.js';
import { bundleAddress, bundleOf, encodeBundle, type MatchBundle } from '../protocol/bundle/matchBundle.js';
import { verifyBundle } from '../protocol/bundle/verifyBundle.js';
import { readBundleFile } from './bundleFile.js';
import { addReadFlags, openRpc, type ReadFlags } from './marketFlags.js';
import { fieldLines, printResult, timeText } from './marketOutput.js';
import { EXIT, integer } from './usage.js';

type Print = (line: string) => void;

/** Registers `bundle` and `verify`: everything a round's result depended on in one file, and its result computed anew from that file. */
export function registerBundleCommands(program: Command, print: Print): void {
  addReadFlags(program.command('bundle').description("write everything a round's result depended on into one file"))
    .argument('[round]', 'round with a snapshot; the last one when not given', integer)
    .option('--out <folder>', 'where the file goes', '.')
    .action((round: number | undefined, flags: ReadFlags & { out: string }) => writeRound(round, flags, print));

  program
    .command('verify')
    .description("compute a round's result anew from its bundle, without any node")
    .argument('<file>', 'bundle, as `bundle` writes it')
    .option('--json', 'print one JSON object', false)
    .action((file: string, flags: { json: boolean }) => verifyFile(file, flags, print));
}

/** A round's bundle from the node's logs and words. Throws what `replayRound` and `matchRound` throw. */
export async function bundleOfRound(rpc: Rpc, deployment: Deployment, round: number | undefined): Promise<MatchBundle> {
  const rounds = await readClosedRounds(rpc, deployment);
  const context = await replayRound(rpc, deployment, rounds, round ?? rounds.last);
  return bundleOfContext(context, deployment);
}

function bundleOfContext(context: RoundContext, deployment: Deployment): MatchBundle {
  const { snapshot, policy, seed, table } = context;
  const domain = { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement };
  const { batch, messageHash } = buildMatchBatch(context, matchRound(snapshot, policy, seed), domain);
  const { matchCount, recordsHash, operatorSetKey } = batch;
  return bundleOf(
    snapshot,
    policy,
    { ...domain, operatorSetKey, tableTimestamp: table.timestamp, tableHash: table.hash },
    { matchCount, recordsHash, messageHash: matchCount === 0 ? null : messageHash },
  );
}

async function writeRound(
  round: number | undefined,
  flags: ReadFlags & { readonly out: string },
  print: Print,
): Promise<void> {
  const { rpc, deployment } = openRpc(flags);
  const bundle = await bundleOfRound(rpc, deployment, round);
  const text = encodeBundle(bundle);
  const address = bundleAddress(text);
  mkdirSync(flags.out, { recursive: true });
  const file = path.join(flags.out, `round-${bundle.round}-${address}.json`);
  writeFileSync(file, text);
  const { matchCount, messageHash } = bundle;
  printResult(print, flags.json, {
    json: { file, address, round: bundle.round, matchCount, messageHash },
    lines: fieldLines([
      ['bundle', file],
      ['round', String(bundle.round)],
      ['matches', String(matchCount)],
      ['digest', messageHash ?? 'none: nothing was there to sign'],
    ]),
  });
}

function verifyFile(file: string, flags: { readonly json: boolean }, print: Print): void {
  const text = readBundleFile(file);
  const contents = decodeBundle(text);
  const { bundle } = contents;
  const { holds, records, recordsHash, messageHash, matchCount, policyHash } = verifyBundle(contents);
  const address = bundleAddress(text);
  printResult(print, flags.json, {
    json: { file, address, holds, round: bundle.round, matchCount, recordsHash, messageHash, policyHash, records },
    lines: [
      ...fieldLines([
        ['round', `${bundle.round} of ${bundle.settlement} on chain ${bundle.chainId}`],
        ['snapshot', `block ${bundle.snapshotBlock} ${bundle.snapshotHash}, ${timeText(bundle.timestampSeconds)}`],
        ['market', `${bundle.machines.length} machines, ${bundle.orders.length} open orders`],
        ['matches', String(matchCount)],
        ['digest', messageHash ?? 'none: nothing was there to sign'],
        ['bundle', address],
      ]),
      holds
        ? 'the bundle holds: the rules give the result that it claims'
        : `the bundle does not hold: it claims ${bundle.matchCount} matches with digest ${bundle.messageHash ?? 'none'}`,
    ],
  });
  if (!holds) process.exitCode = EXIT.failed;
}
