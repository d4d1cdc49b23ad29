import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';

import type { Deployment } from '../chain/deployment.js';
import { AccountLane } from '../chain/eigenlayer/accountLane.js';
import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import { addReadFlags, addWriteFlags, keyOf, readDeployment, type ReadFlags, type WriteFlags } from './marketFlags.js';
import { MissingFlagError } from './usage.js';

/** Flag of every command that reads the stake chain. */
export interface StakeChainFlag {
  readonly stakeRpc?: string;
}

export type StakeReadFlags = ReadFlags & StakeChainFlag;
export type StakeWriteFlags = WriteFlags & StakeChainFlag;

/** A market's two chains, which may be one. */
export interface StakeReader {
  readonly deployment: Deployment;
  /** The stake chain, with EigenLayer and the operator set. */
  readonly rpc: Rpc;
  /** The market chain; null when only the stake chain's node was named. */
  readonly marketRpc: Rpc | null;
}

/** The stake chain with a key to send with. */
export interface StakeWriter extends StakeReader {
  readonly lane: AccountLane;
}

/** Deadline of one request, milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Adds what every command about the stake chain takes. */
export function addStakeReadFlags(command: Command): Command {
  return addStakeRpcFlag(addReadFlags(command));
}

/** Adds what every command that sends transactions to the stake chain takes. */
export function addStakeWriteFlags(command: Command): Command {
  return addStakeRpcFlag(addWriteFlags(command));
}

function addStakeRpcFlag(command: Command): Command {
  return command.addOption(
    new Option(
      '--stake-rpc <url>',
      'JSON-RPC endpoint of the stake chain; default: --rpc when both chains are one',
    ).env('MATCHMAKER_STAKE_RPC_URL'),
  );
}

/** Opens both chains to read. Throws MissingFlagError, DeploymentInvalidError and ConfigInvalidError; the chain ids are checked with the first request. */
export function openStakeReader(flags: StakeReadFlags): StakeReader {
  const deployment = readDeployment(flags);
  const isOneChain = deployment.stake.chainId === deployment.chainId;
  const stakeUrl = named(flags.stakeRpc) ?? (isOneChain ? named(flags.rpc) : undefined);
  if (stakeUrl === undefined) {
    throw isOneChain
      ? new MissingFlagError('--rpc', 'MATCHMAKER_RPC_URL', 'the JSON-RPC endpoint of the market chain')
      : new MissingFlagError(
          '--stake-rpc',
          'MATCHMAKER_STAKE_RPC_URL',
          `the JSON-RPC endpoint of the stake chain, chain id ${deployment.stake.chainId}`,
        );
  }
  const marketUrl = named(flags.rpc) ?? (isOneChain ? stakeUrl : undefined);
  const open = (url: string, chainId: number): Rpc => createRpc({ url, requestTimeoutMs: REQUEST_TIMEOUT_MS, chainId });
  return {
    deployment,
    rpc: open(stakeUrl, deployment.stake.chainId),
    marketRpc: marketUrl === undefined ? null : open(marketUrl, deployment.chainId),
  };
}

/** Opens the stake chain to send with the key that the flags name. Throws as `openStakeReader`, and KeystoreError. */
export function openStakeWriter(flags: StakeWriteFlags): StakeWriter {
  const reader = openStakeReader(flags);
  const { chainId, blockTimeMs } = reader.deployment.stake;
  const lane = new AccountLane(
    {
      chainId,
      privateKey: keyOf(flags),
      pollIntervalMs: Math.min(Math.max(Math.floor(blockTimeMs / 4), 50), 2_000),
    },
    { rpc: reader.rpc, nowMs: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds) },
  );
  return { ...reader, lane };
}

/** A variable that is set to nothing is none. */
function named(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
