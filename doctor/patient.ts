import type { Address, Hex } from 'viem';

import type { Deployment } from '../chain/deployment.js';
import type { OperatorStatus } from '../chain/eigenlayer/operatorStatus.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import type { Clock } from '../service/clock.js';

/** Who is examined, and with what. */
export interface Patient {
  readonly role: 'operator' | 'aggregator';
  readonly deployment: Deployment;
  readonly rpc: Rpc;
  /** The stake chain; null when it is another and no node of it was named. */
  readonly stakeRpc: Rpc | null;
  readonly factsCheck: 'proof' | 'storage';
  readonly dataDir: string;
  /** Opens the keystore. Throws KeystoreError. */
  readonly unlock: () => Promise<UnlockedIdentity>;
  readonly aggregators: readonly string[];
  /** Null when the aggregator would start one, or for an operator. */
  readonly redisUrl: string | null;
  readonly clock: Clock;
  /** Oldest operator table that settlement takes, seconds. Throws the errors of the RPC. */
  readonly maxTableAgeSeconds: () => Promise<number>;
  /** The operator behind the signing key, read once for all checks; null when there is none. Throws the errors of the RPC. */
  readonly operator: () => Promise<OperatorStatus | null>;
}

/** The key that a process uses. */
export interface UnlockedIdentity {
  /** As operator tables name a signing key; an address for a sender. */
  readonly publicKey: Hex;
  readonly id: Address;
}
