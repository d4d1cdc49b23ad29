/** What a custom error of the market means to whoever made the call, and what to do about it. `{name}` stands for the error's argument. */
export interface RefusalAdvice {
  readonly problem: string;
  readonly fix: string;
  /** Parameter at fault, where there is one; `{field}` when the error itself names it. */
  readonly field?: string;
  /** The same call may pass later without anyone changing anything. */
  readonly retryable?: boolean;
}

const NOT_FOR_ACCOUNTS =
  'only contracts of the market and holders of a role may call this; sign with an account that has the role';

/** Advice for every custom error that a call of the market may end with, by the error's name. */
export const REFUSAL_ADVICE: Readonly<Record<string, RefusalAdvice>> = {
  // orders
  OrderFieldInvalid: {
    problem: 'field {field} of the order is out of its bounds or contradicts another',
    fix: 'correct {field}; validateOrderSpec names the bounds',
    field: '{field}',
  },
  OrderNotFound: { problem: 'order {orderId} does not exist', fix: 'check the order id', field: 'orderId' },
  OrderNotOpened: {
    problem: 'order {orderId} is not open (any more)',
    fix: 'look at its status; a matched order is closed with closeLease, not cancelled',
    field: 'orderId',
  },
  OrderNotMatched: {
    problem: 'order {orderId} is no lease',
    fix: 'wait until it is matched, or look at its status',
    field: 'orderId',
  },
  OrderAlreadyEnding: {
    problem: 'order {orderId} ends with round {untilRound} already',
    fix: 'wait for that round, then refund',
    field: 'orderId',
  },
  OrderNotEnding: {
    problem: 'order {orderId} was neither cancelled nor has it expired',
    fix: 'cancel it first',
    field: 'orderId',
  },
  RefundTooEarly: {
    problem: 'the open round may still match order {orderId}',
    fix: 'refund after block {refundableAfterBlock}',
    field: 'orderId',
    retryable: true,
  },
  OrderNotExpired: {
    problem: 'order {orderId} is open until {expiresAt}',
    fix: 'wait, or let its tenant cancel it',
    field: 'orderId',
    retryable: true,
  },
  NotTenant: {
    problem: 'order {orderId} belongs to another account than {caller}',
    fix: "sign with the tenant's account",
    field: 'account',
  },
  LockTooLarge: {
    problem: 'the lock of {amount} token units does not fit 96 bits',
    fix: 'lower the price or the duration',
    field: 'durationMinutes',
  },
  BidWindowTooLong: {
    problem: 'a bid window of {bidWindowBlocks} blocks is too long',
    fix: 'use at most {maximum} blocks',
    field: 'bidWindowBlocks',
  },
  TokenNotAccepted: {
    problem: 'token {tokenId} is not accepted (not approved, or revoked)',
    fix: 'use an approved token; listTokens shows them',
    field: 'tokenId',
  },
  NotAuthorized: { problem: '{caller} may not call this', fix: NOT_FOR_ACCOUNTS, field: 'account' },

  // self-match and settlement
  GateClosed: {
    problem:
      'round {openRound} is open and not settled, the last settled one is {lastSettledRound}: the operators are at work',
    fix: 'try again when the open round is settled, or when none has settled for {selfMatchRounds} rounds',
    retryable: true,
  },
  SelfMatchTooEarly: {
    problem: 'order {orderId} has not waited long enough to be matched by its tenant',
    fix: 'try again from round {earliestRound} on',
    field: 'orderId',
    retryable: true,
  },
  SelfMatchIneligible: {
    problem: 'machine {machineId} may not take order {orderId}: {reason}',
    fix: 'choose another machine or offer',
    field: 'machineId',
  },
  SpecMismatch: {
    problem: 'the spec is not the one that order {orderId} was created with',
    fix: 'pass the spec of its OrderCreated event',
    field: 'spec',
  },
  PolicyMismatch: {
    problem: 'the policy is not that of the open round',
    fix: 'read the policy of the open round and try again',
    field: 'policy',
    retryable: true,
  },
  CapacityRefused: {
    problem: 'machine {machineId} cannot give the capacity: {reason}',
    fix: 'choose a machine with enough free capacity, or ask for less',
    field: 'machineId',
  },
  RecordsMalformed: {
    problem: 'the records are malformed: {what}',
    fix: 'encode them with encodeRecords',
    field: 'records',
  },
  RecordsHashMismatch: {
    problem: "the records do not hash to the batch's recordsHash",
    fix: 'pass the records that were signed',
    field: 'records',
  },
  RoundAlreadySettled: {
    problem: 'round {round} is settled (the last one is {lastSettledRound})',
    fix: 'nothing is left to do',
    field: 'round',
  },
  RoundNotOpen: {
    problem: 'round {round} is not open in block {blockNumber}',
    fix: 'a batch must be mined before the next snapshot',
    field: 'round',
  },
  SnapshotBlockMismatch: {
    problem: 'the batch names snapshot block {named}, the schedule says {expected}',
    fix: "read the round's terms again",
    field: 'snapshotBlock',
  },
  SnapshotHashMismatch: {
    problem: 'the batch names snapshot {named}, the chain has {canonical}',
    fix: 'match on the canonical chain',
    field: 'snapshotHash',
  },
  OperatorSetMismatch: {
    problem: 'the batch is of another operator set',
    fix: 'use the key of operatorSetKey()',
    field: 'operatorSetKey',
  },
  TableMismatch: {
    problem: "the batch names a table that is not the round's",
    fix: 'read tableOf(round)',
    field: 'tableHash',
  },
  TableTooOld: {
    problem: 'the operator table of {tableTimestamp} is too old',
    fix: 'transport and record a new table',
    field: 'tableTimestamp',
  },
  NoTable: {
    problem: 'no operator table has arrived on this chain',
    fix: 'transport one',
    retryable: true,
  },
  StalenessUnlimited: {
    problem: 'the operator set puts no limit on the age of its tables',
    fix: 'set one on the operator set',
  },
  EntriesMismatch: {
    problem: 'the entries are not those of the operator table of {tableTimestamp}',
    fix: 'read the entries again',
    field: 'entries',
  },
  WeightTooLarge: {
    problem: 'an operator weighs {weight}, more than 96 bits',
    fix: 'use a strategy with fewer decimals',
  },
  TooManyOperators: {
    problem: 'the operator table has {count} entries, more than the 256 of a bitmap',
    fix: 'let operators leave the set',
  },
  TableUnknown: {
    problem: 'the quorum verifier keeps no operator table of {tableTimestamp}',
    fix: 'record the table',
    field: 'tableTimestamp',
  },
  TableExpired: {
    problem: 'the operator table of {tableTimestamp} is older than its set allows',
    fix: 'transport and record a new table',
    field: 'tableTimestamp',
  },
  TableWithdrawn: {
    problem: 'the operator table of {tableTimestamp} was withdrawn',
    fix: 'transport and record a new table',
    field: 'tableTimestamp',
  },
  CertificateMalformed: {
    problem: 'the certificate is not valid: {what}',
    fix: 'collect the signatures again',
    field: 'certificate',
  },
  TotalStakeTooLow: {
    problem: 'operators hold {total} of at least {minimum} stake',
    fix: 'more operators must register',
  },
  QuorumNotReached: {
    problem: '{signed} of {total} stake signed: no quorum',
    fix: 'collect more signatures',
    field: 'certificate',
    retryable: true,
  },
  TableNotNewer: { problem: 'the table of {tableTimestamp} is recorded already', fix: 'nothing is left to do' },
  ScheduleChangePending: {
    problem: 'a change of the schedule begins with round {pendingFromRound}',
    fix: 'wait for that round',
    retryable: true,
  },
  FromRoundTooEarly: {
    problem: 'round {fromRound} is too early for a change',
    fix: 'name round {earliest} or later',
    field: 'fromRound',
  },
  PolicyFieldInvalid: {
    problem: 'field {field} of the policy is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  RoundClosed: {
    problem: 'round {round} is older than what the schedule still knows',
    fix: 'name a newer round',
    field: 'round',
  },

  // leases
  OnlyTenantOrProvider: {
    problem: '{caller} is neither tenant nor provider of order {orderId}',
    fix: 'sign with the account of one of them',
    field: 'account',
  },
  OnlyProvider: {
    problem: '{caller} is not the owner of the provider that serves order {orderId}',
    fix: "sign with the provider owner's account",
    field: 'account',
  },
  OnlyTenant: {
    problem: '{caller} is not the tenant of order {orderId}',
    fix: "sign with the tenant's account",
    field: 'account',
  },
  LeaseNotActive: { problem: 'order {orderId} has no running lease', fix: 'look at its status', field: 'orderId' },
  AlreadyReady: {
    problem: 'the provider of order {orderId} is ready already',
    fix: 'nothing is left to do',
    field: 'orderId',
  },
  NotReady: {
    problem: 'the provider of order {orderId} is not ready yet',
    fix: 'wait for its ready',
    field: 'orderId',
    retryable: true,
  },
  AlreadyConfirmed: {
    problem: 'the deployment of order {orderId} is confirmed already',
    fix: 'use requestUpdate to change what runs',
    field: 'orderId',
  },
  NotConfirmed: {
    problem: 'the deployment of order {orderId} is not confirmed yet',
    fix: 'the provider confirms it first',
    field: 'orderId',
    retryable: true,
  },
  DeadlinePassed: {
    problem: 'the time for this step of order {orderId} ended at {deadline}',
    fix: 'only endLease is left',
    field: 'orderId',
  },
  LeaseNotOverdue: {
    problem: 'no deadline of order {orderId} has passed',
    fix: 'the next one is at {deadline}; close the lease to end it before',
    field: 'orderId',
    retryable: true,
  },
  ManifestMismatch: {
    problem: 'the tenant of order {orderId} announced manifest {announced}, not {given}',
    fix: 'run and confirm the announced manifest',
    field: 'manifestHash',
  },
  LeaseFieldInvalid: { problem: 'field {field} is out of its bounds', fix: 'correct {field}', field: '{field}' },
  UpdateNotRequested: {
    problem: 'no such update of order {orderId} is asked for',
    fix: 'read pendingUpdate again: the tenant may have changed or cancelled it',
    field: 'update',
  },
  PriceAboveConsent: {
    problem: '{priceMicroPerHour} micro-units an hour are more than the tenant agreed to',
    fix: 'ask at most {maxPriceMicroPerHour}',
    field: 'priceMicroPerHour',
  },

  // bids
  BiddingClosed: {
    problem: 'bids on order {orderId} were taken until block {eligibleFromBlock}',
    fix: 'bid within the bid window of an order',
    field: 'orderId',
  },
  ProviderNotActive: {
    problem: 'provider {providerId} is not Active',
    fix: 'activate the provider (enough own stake, no maintenance)',
    field: 'providerId',
  },
  NotProviderOwner: {
    problem: '{caller} does not own provider {providerId}',
    fix: "sign with the owner's account",
    field: 'account',
  },
  MachineNotOffered: {
    problem: "machine {machineId} is inactive or has no offer in the order's token",
    fix: 'activate it and set an offer before bidding',
    field: 'machineId',
  },
  BidPriceTooHigh: {
    problem: "{priceMicroPerHour} is not below the machine's own offer",
    fix: 'bid below {below} micro-units an hour',
    field: 'priceMicroPerHour',
  },
  BidPriceExceedsMaxPrice: {
    problem: '{priceMicroPerHour} is above what the order pays',
    fix: 'bid at most {maxPriceMicroPerHour} micro-units an hour',
    field: 'priceMicroPerHour',
  },
  TooManyBids: {
    problem: 'order {orderId} has {maximum} bids, as many as it may',
    fix: 'bid on another order',
    field: 'orderId',
  },
  TooManyProviderBids: {
    problem: 'provider {providerId} has bonds on {maximum} bids',
    fix: 'release the bonds of decided bids',
    field: 'providerId',
  },
  BidNotFound: {
    problem: 'provider {providerId} has no bid on order {orderId}',
    fix: 'check both ids',
    field: 'orderId',
  },
  BidAlreadyWithdrawn: {
    problem: 'the bid of provider {providerId} on order {orderId} is withdrawn',
    fix: 'nothing is left to do',
    field: 'orderId',
  },
  BondStillHeld: {
    problem: 'the bond of provider {providerId} on order {orderId} may still be needed',
    fix: 'try again when the order is decided',
    field: 'orderId',
    retryable: true,
  },
  BidTermsInvalid: {
    problem: 'field {field} of the bid terms is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },

  // escrow and tokens
  InsufficientBalance: {
    problem: '{required} token units are needed, {available} are there',
    fix: 'deposit more, or ask for less',
    field: 'amount',
  },
  InvalidAmount: { problem: 'the amount is zero or too large', fix: 'pass a positive amount', field: 'amount' },
  MinimumDepositNotMet: {
    problem: '{received} token units arrived, the token takes deposits from {minimum} on',
    fix: 'deposit at least {minimum}',
    field: 'amount',
  },
  LockAlreadyReleased: {
    problem: 'the lock of order {orderId} is released',
    fix: 'nothing is left to do',
    field: 'orderId',
  },
  LockExceeded: {
    problem: 'order {orderId} holds {locked} token units, {required} would be needed',
    fix: 'top up',
    field: 'orderId',
  },
  FeeTermsInvalid: {
    problem: 'field {field} of the fees is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  TooManyAccounts: { problem: '{count} accounts in one call', fix: 'name at most {maximum}', field: 'accounts' },
  TokenAlreadyApproved: {
    problem: 'token {token} has id {tokenId} already',
    fix: 'reinstate it if it was revoked',
    field: 'token',
  },
  TokenNotFound: { problem: 'token {tokenId} does not exist', fix: 'check the token id', field: 'tokenId' },
  TokenNotApproved: { problem: 'token {tokenId} is revoked already', fix: 'nothing is left to do', field: 'tokenId' },
  TokenDecimalsUnsupported: {
    problem: 'a token with {decimals} decimals cannot be used',
    fix: 'use one with 6 to 18',
    field: 'token',
  },
  InvalidAddress: { problem: 'the address is zero or no contract', fix: 'check it', field: 'address' },
  MarketPaused: {
    problem: 'the market takes nothing new in until {until}',
    fix: 'wait; withdrawing and closing go on',
    retryable: true,
  },
  PauseTooLong: {
    problem: 'a pause of {durationSeconds} s is too long',
    fix: 'pause for at most {maximumSeconds} s',
    field: 'durationSeconds',
  },
  PauseCoolingDown: { problem: 'the last pause is too near', fix: 'wait until {earliest}', retryable: true },
  NotPaused: { problem: 'the market is not paused', fix: 'nothing is left to do' },

  // signed calls
  SignatureExpired: {
    problem: 'the signature was good until {deadline}',
    fix: 'ask the tenant for a new one',
    field: 'deadline',
  },
  InvalidSignature: {
    problem: 'the signature is not one of {tenant} over this call',
    fix: 'send exactly the fields that were signed',
    field: 'signature',
  },
  InvalidAccountNonce: {
    problem: 'the nonce of {account} is {currentNonce} by now',
    fix: 'sign again with the nonce of now',
    field: 'nonce',
  },

  // providers and machines
  ProviderNotFound: {
    problem: 'provider {providerId} does not exist',
    fix: 'check the provider id',
    field: 'providerId',
  },
  ProviderAlreadyRegistered: {
    problem: '{owner} owns provider {providerId} already',
    fix: 'an account owns one provider',
    field: 'account',
  },
  MachineNotFound: { problem: 'machine {machineId} does not exist', fix: 'check the machine id', field: 'machineId' },
  StatusUnchanged: { problem: 'the provider has status {status} already', fix: 'nothing is left to do' },
  StatusNotAllowed: {
    problem: 'the provider may not do this with status {status}',
    fix: 'a Registered provider activates first; a Suspended or Deactivated one asks the verifier',
  },
  FieldOutOfBounds: { problem: 'field {field} is out of its bounds', fix: 'correct {field}', field: '{field}' },
  InsufficientStake: {
    problem: '{stakeWhole} whole tokens of own stake, {requiredWhole} are required',
    fix: 'stake at least what is missing',
    field: 'amount',
  },
  MachineAlreadyActive: {
    problem: 'machine {machineId} is active already',
    fix: 'nothing is left to do',
    field: 'machineId',
  },
  MachineAlreadyInactive: {
    problem: 'machine {machineId} is inactive already',
    fix: 'nothing is left to do',
    field: 'machineId',
  },
  MachineStillActive: {
    problem: 'machine {machineId} is active until round {activeUntilRound}',
    fix: 'deactivate it, and wait one round',
    field: 'machineId',
    retryable: true,
  },
  CapacityInUse: {
    problem: 'leases use more {field} of machine {machineId} than would be left',
    fix: 'wait for its leases to end, or keep more',
    field: '{field}',
  },
  CapacityLowered: {
    problem: '{field} of machine {machineId} would fall',
    fix: 'an active machine only grows; deactivate it to lower anything',
    field: '{field}',
  },
  OfferIndexInvalid: { problem: 'there is no offer slot {offerIndex}', fix: 'use 0 to 3', field: 'offerIndex' },
  TokenAlreadyOffered: {
    problem: 'machine {machineId} has an offer in token {tokenId} in slot {offerIndex}',
    fix: 'change that offer',
    field: 'offerIndex',
  },
  OfferNotFound: {
    problem: 'machine {machineId} has no offer in slot {offerIndex}',
    fix: 'check the slot',
    field: 'offerIndex',
  },
  VotingIsOff: {
    problem: 'the council does not vote',
    fix: 'the approver decides; ask whoever holds that role',
  },
  PendingAttributesChanged: {
    problem: 'provider {providerId} has other attributes pending than was seen',
    fix: 'look again at what is pending',
    field: 'pendingHash',
  },
  PendingCapabilitiesChanged: {
    problem: 'provider {providerId} has other capabilities pending than was seen',
    fix: 'look again at what is pending',
    field: 'capabilities',
  },
  BidIndexInvalid: {
    problem: 'bid {bidIndex} of order {orderId} is out of turn',
    fix: 'bids are placed through the bid contract',
    field: 'orderId',
  },
  ProposalNotFound: {
    problem: 'proposal {proposalId} does not exist',
    fix: 'check the proposal id',
    field: 'proposalId',
  },
  ProposalStateInvalid: {
    problem: 'proposal {proposalId} is {state}',
    fix: 'only an approved one registers, only a pending one is decided',
    field: 'proposalId',
  },
  ProposalFieldInvalid: {
    problem: 'field {field} of the proposal is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  ProposalPending: {
    problem: '{owner} has proposal {proposalId} under way',
    fix: 'wait for the decision, or withdraw it',
    field: 'account',
  },
  NotProposer: {
    problem: 'proposal {proposalId} is not of {caller}',
    fix: "sign with the proposer's account",
    field: 'account',
  },
  AlreadyVoted: { problem: '{member} voted on proposal {proposalId} already', fix: 'nothing is left to do' },
  ResourceNotFound: {
    problem: 'resource {resourceId} does not exist',
    fix: 'check the resource id',
    field: 'resourceIds',
  },
  ResourceCategoryMismatch: {
    problem: 'resource {resourceId} belongs to the other category',
    fix: 'submit CPU and GPU rows apart',
    field: 'resourceIds',
  },
  DuplicateId: {
    problem: 'resource {resourceId} is out of order or named twice',
    fix: 'name each once, ascending',
    field: 'resourceIds',
  },
  InvalidUnit: {
    problem: 'the units of resource {resourceId} are out of their bounds',
    fix: 'pass 1 to 1048576',
    field: 'units',
  },
  ArrayMismatch: { problem: 'there are not as many units as resources', fix: 'pass one for each', field: 'units' },
  TooManyAttributes: { problem: '{count} rows in one category', fix: 'pass at most {maximum}', field: 'resourceIds' },
  NoPendingAttributes: {
    problem: 'provider {providerId} has nothing pending, or something else than what was seen',
    fix: 'look again at what is pending',
    field: 'providerId',
  },
  NoPendingCapabilities: {
    problem: 'provider {providerId} has other capabilities pending, or none',
    fix: 'look again at what is pending',
    field: 'providerId',
  },
  CertificateFieldInvalid: {
    problem: 'field {field} of the certificate is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  CertificateAlreadyPublished: {
    problem: 'the fingerprint was published before; a revoked one never comes back',
    fix: 'make a new key',
    field: 'fingerprint',
  },
  CertificateNotFound: {
    problem: '{account} has no such certificate',
    fix: 'check the fingerprint',
    field: 'fingerprint',
  },
  TooManyCertificates: {
    problem: '{account} has {maximum} live certificates',
    fix: 'revoke one first',
    field: 'fingerprint',
  },

  // stake
  StakeTermsInvalid: {
    problem: 'field {field} of the stake terms is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  TooManyUnbondings: {
    problem: 'too many unbondings with provider {providerId} at a time',
    fix: 'withdraw those that are over first',
    field: 'providerId',
  },
  UnbondingNotFound: {
    problem: '{account} has no unbonding {unbondingId} with provider {providerId}',
    fix: 'check the id',
    field: 'unbondingId',
  },
  UnbondingNotOver: {
    problem: 'unbonding {unbondingId} is bound until {releaseAt}',
    fix: 'withdraw after that',
    field: 'unbondingId',
    retryable: true,
  },
  CommissionTooHigh: {
    problem: 'a commission of {commissionBps} is too high',
    fix: 'ask at most {maximumBps} hundredths of a percent',
    field: 'commissionBps',
  },
  SlashInvalid: {
    problem: 'field {field} of the slash is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  NoSlashInMaintenance: {
    problem: 'provider {providerId} is in Maintenance',
    fix: 'downtime in Maintenance is no fault',
    field: 'providerId',
  },
  SlashCoolingDown: {
    problem: 'provider {providerId} was slashed for downtime shortly before',
    fix: 'wait until {earliest}',
    field: 'providerId',
    retryable: true,
  },

  // compliance
  NotAuditor: {
    problem: '{caller} is no accredited auditor',
    fix: 'the compliance officer accredits auditors',
    field: 'account',
  },
  BondTooLow: {
    problem: 'a bond of {bond} token units, {minimum} are needed',
    fix: 'post what is missing',
    field: 'amount',
  },
  BondInvalid: { problem: 'field {field} of the bond is out of its bounds', fix: 'correct {field}', field: '{field}' },
  BondLocked: {
    problem: 'the bond is bound until {releaseAt}',
    fix: 'wait, or revoke reports that still count',
    retryable: true,
  },
  ReportFieldInvalid: {
    problem: 'field {field} of the report is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  NoReportPlace: {
    problem: 'provider {providerId} has running reports of four other auditors',
    fix: 'wait until one expires',
    field: 'providerId',
  },
  ReportNotFound: {
    problem: '{auditor} has no report about provider {providerId}',
    fix: 'check both',
    field: 'providerId',
  },

  // rewards
  EarnerForfeited: { problem: '{earner} lost its rewards up to era {untilEra}', fix: 'only later eras are paid' },
  EraAlreadyClosed: { problem: 'era {era} is closed already', fix: 'nothing is left to do', field: 'era' },
  EraCapExceeded: {
    problem: '{added} is more than an era may pay',
    fix: 'stay below {maximum}',
    field: 'cumulativeTotal',
  },
  EraNotClosed: { problem: 'era {era} is not closed yet', fix: 'close it first', field: 'era', retryable: true },
  EraNotOver: { problem: 'era {era} is not over yet', fix: 'wait for its end', field: 'era', retryable: true },
  EraTooOld: { problem: 'era {era} is too old', fix: 'post newer eras', field: 'era' },
  FeedTermsInvalid: {
    problem: 'field {field} of the feed is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  InvalidProof: {
    problem: 'the proof does not lead to the active root',
    fix: 'take claim and proof from the same published list',
    field: 'proof',
  },
  NoActiveRoot: { problem: 'no list of rewards is active yet', fix: 'wait for its activation', retryable: true },
  NotFunded: {
    problem: 'the list pays {cumulativeTotal} in all, {totalFunded} were funded',
    fix: 'fund the rewarder first',
    field: 'cumulativeTotal',
  },
  NothingToClaim: { problem: '{earner} has claimed everything', fix: 'wait for the next era', retryable: true },
  PriceOutOfBounds: {
    problem: 'the price feed answered {answer}',
    fix: 'wait for a price within the bounds',
    retryable: true,
  },
  PriceStale: { problem: 'the price feed is older than its heartbeat', fix: 'wait for a fresh price', retryable: true },
  ResultAlreadyPosted: {
    problem: 'the result of provider {providerId} in era {era} is posted',
    fix: 'leave it out',
    field: 'providerId',
  },
  ResultInvalid: {
    problem: 'field {field} of a result is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  RewardTermsInvalid: {
    problem: 'field {field} of the reward terms is out of its bounds',
    fix: 'correct {field}',
    field: '{field}',
  },
  RootActive: { problem: 'the list of era {era} is active', fix: 'an active list stays', field: 'era' },
  RootNotNewer: { problem: 'era {era} is not newer than {newest}', fix: 'propose the next era', field: 'era' },
  RootPending: { problem: 'the list of era {era} is under way', fix: 'wait for it', field: 'era', retryable: true },
  RootStateInvalid: {
    problem: 'the list of era {era} is not in a state for this',
    fix: 'look at its state',
    field: 'era',
  },
  SequencerDown: { problem: "the chain's sequencer is reported down", fix: 'wait', retryable: true },
  SequencerGrace: { problem: "the chain's sequencer came back just now", fix: 'wait', retryable: true },
  TooManyResults: { problem: '{count} results in one call', fix: 'post at most {maximum}', field: 'results' },
  TotalDecreased: {
    problem: 'the list pays {cumulativeTotal} in all, less than {before} before',
    fix: 'totals only grow',
    field: 'cumulativeTotal',
  },

  // what the contracts are built on
  AccessManagedUnauthorized: {
    problem: '{caller} lacks the role for this call',
    fix: 'sign with an account that holds the role, or ask the governor',
    field: 'account',
  },
  AccessManagedRequiredDelay: {
    problem: 'the role of {caller} acts with a delay',
    fix: 'schedule the call with the access manager (`governance schedule`), and execute it after {delay} s',
    field: 'account',
  },
  AccessManagerAlreadyScheduled: {
    problem: 'operation {operationId} is scheduled already',
    fix: 'wait for it and execute it, or cancel it first',
    field: 'operationId',
  },
  AccessManagerNotScheduled: {
    problem: 'operation {operationId} is not scheduled, or its role has a delay that this call did not wait for',
    fix: 'schedule the call (`governance schedule`), and execute it after the delay',
    field: 'operationId',
  },
  AccessManagerNotReady: {
    problem: 'the delay of operation {operationId} is not over',
    fix: 'execute it when it is; the list of pending operations says when',
    field: 'operationId',
    retryable: true,
  },
  AccessManagerExpired: {
    problem: 'operation {operationId} was not executed in time and has lapsed',
    fix: 'schedule it again',
    field: 'operationId',
  },
  AccessManagerLockedRole: {
    problem: 'role {roleId} cannot be changed',
    fix: 'name another role',
    field: 'roleId',
  },
  AccessManagerUnauthorizedAccount: {
    problem: '{msgsender} lacks role {roleId}',
    fix: 'sign with an account that holds it',
    field: 'account',
  },
  AccessManagerUnauthorizedCall: {
    problem: '{caller} lacks the role for this call, or asks for it earlier than its delay allows',
    fix: 'sign with an account that holds the role, and leave the time out for the earliest',
    field: 'account',
  },
  AccessManagerUnauthorizedCancel: {
    problem: '{msgsender} may not cancel what {caller} scheduled',
    fix: 'sign with the account that scheduled it, or as an administrator',
    field: 'account',
  },
  ERC1967InvalidImplementation: {
    problem: '{implementation} is no code that the proxy can take',
    fix: 'deploy the implementation, and name its address',
    field: 'implementation',
  },
  UUPSUnsupportedProxiableUUID: {
    problem: 'the code is made for another kind of proxy',
    fix: 'name an implementation of this contract',
    field: 'implementation',
  },
  SafeERC20FailedOperation: {
    problem: 'token {token} refused the transfer',
    fix: 'check balance and allowance of the token',
    field: 'amount',
  },
  ERC20InsufficientBalance: {
    problem: '{sender} has {balance} token units, {needed} are needed',
    fix: 'get more of the token',
    field: 'amount',
  },
  ERC20InsufficientAllowance: {
    problem: 'the allowance of {allowance} token units is below {needed}',
    fix: 'approve the contract for the token',
    field: 'amount',
  },
  ReentrancyGuardReentrantCall: {
    problem: 'a token called back into the market',
    fix: 'do not use this token',
    field: 'tokenId',
  },
};
