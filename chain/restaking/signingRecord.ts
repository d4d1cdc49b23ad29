import type { Hex } from 'viem';
import type { TableEntry } from '../../protocol/operatorTable.js';

/** Who signed one settled batch, of those who could. */
export interface SignedRound {
  readonly round: number;
  readonly messageHash: Hex;
  readonly entries: readonly TableEntry[];
  /** Positions in `entries` of those who signed. */
  readonly signers: readonly number[];
}

/** What an aggregator says after a round closed: which batch each key signed. */
export interface RoundVotes {
  readonly round: number;
  readonly participants: readonly { readonly signer: Hex; readonly messageHash: Hex }[];
  /** Keys that signed two different batches of the round. */
  readonly conflicts: readonly Hex[];
}

/** How a key signed over some settled rounds. */
export interface SigningRecord {
  /** Settled rounds in whose operator table the key stands. */
  readonly rounds: number;
  /** Of these, in how many its signature is in the certificate that settled. */
  readonly signed: number;
  /** Rounds for which it signed another batch than the settled one; null without an aggregator's word. */
  readonly disagreed: readonly number[] | null;
  /** Rounds for which it signed two batches; null without an aggregator's word. */
  readonly conflicted: readonly number[] | null;
}

/** Counts a key's signatures under settled batches, and where aggregators saw it sign something else. `votes` null: none was asked. */
export function signingRecord(
  key: Hex,
  settled: readonly SignedRound[],
  votes: readonly RoundVotes[] | null,
): SigningRecord {
  const own = key.toLowerCase();
  const inTable = settled.filter(({ entries }) => entries.some((entry) => entry.key.toLowerCase() === own));
  const signed = inTable.filter(({ entries, signers }) =>
    signers.some((position) => entries[position]?.key.toLowerCase() === own),
  );
  const settledHash = new Map(settled.map(({ round, messageHash }) => [round, messageHash.toLowerCase()]));
  const disagreed = votes
    ?.filter(({ round, participants }) => {
      const hash = settledHash.get(round);
      return (
        hash !== undefined &&
        participants.some((vote) => vote.signer.toLowerCase() === own && vote.messageHash.toLowerCase() !== hash)
      );
    })
    .map(({ round }) => round);
  const conflicted = votes
    ?.filter(({ conflicts }) => conflicts.some((signer) => signer.toLowerCase() === own))
    .map(({ round }) => round);
  return {
    rounds: inTable.length,
    signed: signed.length,
    disagreed: disagreed === undefined ? null : ascending(disagreed),
    conflicted: conflicted === undefined ? null : ascending(conflicted),
  };
}

/** Each round once: several aggregators may tell the same. */
function ascending(rounds: readonly number[]): readonly number[] {
  return [...new Set(rounds)].sort((a, b) => a - b);
}
