import { MatchmakerError } from './error.js';

/** The round's policy follows rules that this engine does not implement; a node abstains from the round. */
export class RulesVersionUnsupportedError extends MatchmakerError<'RULES_VERSION_UNSUPPORTED'> {
  constructor(rulesVersion: number) {
    super('RULES_VERSION_UNSUPPORTED', `rules version ${rulesVersion} is not implemented: upgrade this node`, {
      metadata: { rulesVersion },
    });
  }
}

/** A value of the round's policy is outside what the rules are exact for. */
export class PolicyOutOfRangeError extends MatchmakerError<'POLICY_OUT_OF_RANGE'> {
  constructor(field: string, value: number | null, rule: string) {
    super('POLICY_OUT_OF_RANGE', `policy: ${field} is ${value}, must be ${rule}`, { metadata: { field, value, rule } });
  }
}

/** The snapshot's orders are not strictly ascending by id. */
export class OrdersNotAscendingError extends MatchmakerError<'ORDERS_NOT_ASCENDING'> {
  constructor(before: number, orderId: number) {
    super('ORDERS_NOT_ASCENDING', `order ${orderId} follows order ${before}: orders must ascend strictly by id`, {
      metadata: { before, orderId },
    });
  }
}

/** The order to explain is not in the snapshot. */
export class OrderNotInSnapshotError extends MatchmakerError<'ORDER_NOT_IN_SNAPSHOT'> {
  constructor(orderId: number, round: number) {
    super('ORDER_NOT_IN_SNAPSHOT', `order ${orderId} is not in the snapshot of round ${round}`, {
      metadata: { orderId, round },
    });
  }
}

/** Records that no settlement takes, so that there is nothing to audit. */
export class BatchMalformedError extends MatchmakerError<'BATCH_MALFORMED'> {
  constructor(index: number, problem: string) {
    super('BATCH_MALFORMED', `record ${index}: ${problem}; settlement refuses such a batch`, {
      metadata: { index, problem },
    });
  }
}
