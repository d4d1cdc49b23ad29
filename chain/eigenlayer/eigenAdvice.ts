import { parseAbi, type Abi } from 'viem';

/** What a custom error of EigenLayer means to whoever made the call, and what to do about it. */
export interface EigenAdvice {
  readonly problem: string;
  readonly fix: string;
}

/** Advice by the custom error's signature, so that errors which our declarations of the contracts leave out are named too. */
const EIGEN_ADVICE: Readonly<Record<string, EigenAdvice>> = {
  // permissions
  'InvalidPermissions()': {
    problem: 'this account may not act for the operator',
    fix: "sign with the operator's key, an admin of the operator, or an appointee for exactly this function (`matchmaker operator appoint`); once an admin has accepted, the operator's own key has no rights left",
  },
  'NotAdmin()': {
    problem: 'this account is no admin of the operator',
    fix: "sign with the operator's key, or with an admin's once one has accepted",
  },
  'AdminAlreadyPending()': {
    problem: 'the account is proposed as admin already',
    fix: "let it accept, in EigenLayer's PermissionController",
  },
  'AdminAlreadySet()': { problem: 'the account is an admin already', fix: 'nothing is to be done' },
  'AdminNotPending()': {
    problem: 'nobody has proposed the account as admin',
    fix: "propose it first, in EigenLayer's PermissionController",
  },
  'AdminNotSet()': { problem: 'the account is no admin', fix: 'check the address' },
  'CannotHaveZeroAdmins()': {
    problem: 'the last admin cannot be removed',
    fix: 'have another admin accept first',
  },
  'AppointeeAlreadySet()': { problem: 'the account has this right already', fix: 'nothing is to be done' },
  'AppointeeNotSet()': { problem: 'the account does not have this right', fix: 'nothing is to be done' },
  'CallerNotOperator()': {
    problem: 'this account may not change the socket of the operator',
    fix: "sign with the operator's key, or appoint this account first (`matchmaker operator appoint`)",
  },
  'CurrentlyPaused()': { problem: 'EigenLayer has paused this function', fix: 'try again when it is unpaused' },

  // becoming an operator, delegation
  'ActivelyDelegated()': {
    problem: 'the account delegates its stake already',
    fix: 'an account that delegates to an operator cannot become one: use another account, or undelegate first',
  },
  'NotActivelyDelegated()': { problem: 'the account delegates to nobody', fix: 'nothing is to be undelegated' },
  'OperatorNotRegistered()': {
    problem: 'the account is not an operator of EigenLayer',
    fix: 'check the address; `matchmaker operator register` makes one',
  },
  'InvalidOperator()': {
    problem: 'the account is not an operator of EigenLayer',
    fix: 'run `matchmaker operator register` first',
  },
  'OperatorsCannotUndelegate()': {
    problem: 'an operator is delegated to itself for ever',
    fix: 'queue a withdrawal instead',
  },
  'SaltSpent()': { problem: 'the approval was used before', fix: 'ask the approver for one with another salt' },
  'SignatureExpired()': { problem: 'the signature is too old', fix: 'ask for a new one' },

  // stake
  'StrategyNotWhitelisted()': {
    problem: 'the strategy takes no deposits',
    fix: 'check `strategy` of the deployment file; EigenLayer must have whitelisted it',
  },
  'SharesAmountZero()': { problem: 'the amount is worth no share', fix: 'deposit more' },
  'MaxStrategiesExceeded()': {
    problem: 'the account has stake in as many strategies as EigenLayer allows',
    fix: 'withdraw from one',
  },
  'ERC20InsufficientBalance(address,uint256,uint256)': {
    problem: 'the account has fewer tokens than the deposit needs',
    fix: 'send it stake tokens, or deposit less',
  },
  'ERC20InsufficientAllowance(address,uint256,uint256)': {
    problem: 'the tokens were not approved for the strategy manager',
    fix: 'try again: the approval is part of the deposit',
  },
  'BlacklistedToken()': {
    problem: 'EigenLayer takes no stake in this token',
    fix: 'choose another `stakeToken`',
  },
  'StrategyAlreadyExists()': {
    problem: 'the token has a strategy already',
    fix: 'try again: the one that exists is used',
  },

  // allocation
  'UninitializedAllocationDelay()': {
    problem: 'the operator has no allocation delay in force',
    fix: 'set one (`matchmaker operator allocate --set-delay BLOCKS`) and wait for the configuration delay that `matchmaker operator status` shows',
  },
  'ModificationAlreadyPending()': {
    problem: 'an earlier change of this allocation has not taken effect',
    fix: 'wait for the block that `matchmaker operator status` shows as its effect: one change at a time may be pending',
  },
  'SameMagnitude()': { problem: 'the allocation is that already', fix: 'nothing is to be done' },
  'InsufficientMagnitude()': {
    problem: 'other operator sets hold too much of the stake, or slashes have taken it',
    fix: 'allocate less: `matchmaker operator status` shows how much is free. Magnitude that was slashed never comes back',
  },
  'StrategyNotInOperatorSet()': {
    problem: 'the strategy is not one of the operator set',
    fix: 'check `strategy` and `operatorSet` of the deployment file',
  },
  'StrategyAlreadyInOperatorSet()': {
    problem: 'the strategy is in the operator set already',
    fix: 'nothing is to be done',
  },
  'StrategiesMustBeInAscendingOrder()': {
    problem: 'the strategies do not ascend, or one occurs twice',
    fix: 'this is a defect of the caller: report it',
  },
  'InvalidStrategy()': {
    problem: 'this strategy cannot be in an operator set whose slashes are redistributed',
    fix: 'use a strategy of an ordinary token: native ETH cannot be redistributed',
  },

  // the set
  'InvalidOperatorSet()': {
    problem: 'the operator set does not exist',
    fix: 'check `operatorSet` of the deployment file, and that the RPC serves the stake chain',
  },
  'AlreadyMemberOfSet()': {
    problem: 'the operator is in the set, or left it so recently that it is still slashable',
    fix: 'wait for the block until which `matchmaker operator status` says that stake stays slashable, then register again',
  },
  'NotMemberOfSet()': { problem: 'the operator is not in the set', fix: 'nothing is to be done' },
  'KeyNotRegistered()': {
    problem: 'the operator has no signing key in the set',
    fix: 'run `matchmaker operator register`, which registers the key before it joins',
  },
  'SocketTooLong(uint256)': { problem: 'the socket is longer than 256 bytes', fix: 'name a shorter URL' },
  'StakeBelowMinimum(uint256,uint256)': {
    problem: 'the operator has less stake than the set asks of those who join it (the second number, in shares)',
    fix: 'deposit more with `matchmaker operator register --stake`, or have restakers delegate to the operator first',
  },
  'CallerNotAvs()': {
    problem: 'only the AVS says with how much stake operators may join',
    fix: "sign with the AVS's key, or have it appoint this account for exactly this function",
  },
  'UnsupportedAVS(address)': {
    problem: 'the registrar does not serve this AVS',
    fix: 'check `operatorSet.avs` of the deployment file',
  },
  'NonexistentAVSMetadata()': {
    problem: 'the AVS has published no metadata, and may not make an operator set before',
    fix: 'finish `matchmaker deploy`, which publishes it first',
  },
  'InvalidAVSRegistrar()': {
    problem: 'the registrar does not say that it serves this AVS',
    fix: 'check `stake.registrar` of the deployment file; a registrar serves the one AVS it was deployed for',
  },
  'InvalidRedistributionRecipient()': {
    problem: 'slashes of the operator set cannot go to that account',
    fix: 'name the vault of the deployment: neither the zero address nor the one that EigenLayer burns to',
  },
  'NotAllocationManager()': {
    problem: "only EigenLayer's AllocationManager may tell the registrar who joins or leaves",
    fix: 'join or leave through it: `matchmaker operator register` or `deregister`',
  },

  // keys
  'OperatorSetNotConfigured()': {
    problem: 'the operator set has no curve yet',
    fix: 'the AVS must call configureOperatorSet first',
  },
  'OperatorAlreadyRegistered()': {
    problem: 'the operator has another signing key in this set',
    fix: 'use that key. To change it: leave the set, wait until nothing is slashable any more, remove the key (`matchmaker operator deregister --remove-key`), register a new one',
  },
  'KeyAlreadyRegistered()': {
    problem: 'somebody has used this signing key before, in this or another set; keys are unique for ever',
    fix: 'make a new one with `matchmaker operator keys create`',
  },
  'InvalidKeyFormat()': {
    problem: "the key is not of the operator set's curve",
    fix: 'make a key of the curve that `quorum.curve` of the deployment file names',
  },
  'ZeroPubkey()': { problem: 'the key is the zero key', fix: 'make a new one' },
  'InvalidCurveType()': {
    problem: "the key is not of the operator set's curve",
    fix: 'make a key of the curve that `quorum.curve` of the deployment file names',
  },
  'KeyNotFound((address,uint32),address)': {
    problem: 'the operator has no key in the set',
    fix: 'nothing is to be removed',
  },
  'OperatorStillSlashable((address,uint32),address)': {
    problem: 'the operator can still be slashed by the set',
    fix: 'wait for the block until which `matchmaker operator status` says that stake stays slashable',
  },
  'InvalidSignature()': {
    problem: 'the signature does not prove possession of the key',
    fix: 'check that keystore and operator are the right ones and that the RPC serves the stake chain of the deployment file',
  },
  'ConfigurationAlreadySet()': {
    problem: 'the operator set has its curve already, and keeps it for ever',
    fix: 'use that curve, or another operator set id',
  },
  'KeyTypeNotSet()': {
    problem: 'the operator set has no curve yet',
    fix: 'the AVS must call configureOperatorSet first',
  },

  // leaving
  'CallerCannotUndelegate()': {
    problem: "only the restaker, its operator or the operator's approver may end a delegation",
    fix: "sign with the restaker's key",
  },
  'WithdrawalDelayNotElapsed()': {
    problem: 'the withdrawal is not due yet',
    fix: 'wait for the block that `matchmaker restake status` shows as completable; until then slashes reach it',
  },
  'WithdrawalNotQueued()': {
    problem: 'there is no such withdrawal; it may have been completed',
    fix: 'look at `matchmaker restake status`',
  },
  'WithdrawerNotCaller()': {
    problem: 'a withdrawal is completed by the account that queued it',
    fix: "sign with the restaker's key",
  },
  'FullySlashed()': {
    problem: 'the operator has lost all of its stake in this strategy for ever',
    fix: 'delegate to another operator: `matchmaker restake risk` lists them',
  },
  'SharesAmountTooHigh()': {
    problem: 'the account has fewer shares than that',
    fix: 'ask for less: `matchmaker restake status` shows how many, and what is queued has left already',
  },
  'InputArrayLengthZero()': { problem: 'the list is empty', fix: 'name at least one' },
  'InputArrayLengthMismatch()': {
    problem: 'lists that belong together have different lengths',
    fix: 'this is a defect of the caller: report it',
  },
  'InputAddressZero()': { problem: 'an address is zero', fix: 'name the address' },

  // slashing
  'SlasherNotSet()': {
    problem: 'the operator set has no slasher',
    fix: 'the AVS must name one; until then nothing can be slashed',
  },
  'InvalidCaller()': {
    problem: 'this account may not do that for the operator set or the operator',
    fix: "to slash, call the set's own slasher (`matchmaker restake risk` names it); otherwise sign with the operator's key",
  },
  'OperatorNotSlashable()': {
    problem: 'the operator is no longer slashable by the set',
    fix: 'nothing can be done: it left the set longer ago than the deallocation delay',
  },
  'InvalidWadToSlash()': {
    problem: 'the part to slash is not above zero and at most the whole',
    fix: 'this is a defect of the slasher: report it',
  },

  // operator tables
  'GenerationReservationAlreadyExists()': {
    problem: "EigenLayer calculates the operator set's table already",
    fix: 'nothing is to be done',
  },
  'GenerationReservationDoesNotExist()': {
    problem: "EigenLayer was not asked to calculate the operator set's table",
    fix: 'finish `matchmaker deploy`, which asks for it',
  },
  'InvalidStalenessPeriod()': {
    problem: "a table may age from EigenLayer's refresh interval on, or for ever (0)",
    fix: 'name a longer period',
  },
  'CertificateInvalid()': {
    problem: "the table's root is not signed by EigenLayer's generator",
    fix: 'carry a root that it has signed; check that the RPC serves the market chain of the deployment file',
  },
  'EmptyRoot()': { problem: 'the root is zero', fix: 'carry a root that was posted' },
  'GlobalTableRootInFuture()': {
    problem: 'the root is of a later time than the block that takes it',
    fix: 'try again in some seconds',
  },
  'GlobalTableRootStale()': {
    problem: 'a newer root was posted already',
    fix: 'carry the table under the newest one',
  },
  'InvalidGlobalTableRoot()': {
    problem: 'that root was not posted for that time, or was taken back',
    fix: 'carry the table under the newest root',
  },
  'InvalidIndex()': {
    problem: "the proof's index does not fit the tree",
    fix: 'make the proof anew from the tables of that very root',
  },
  'InvalidMessageHash()': {
    problem: 'the certificate is for another root',
    fix: 'use the certificate of this very root',
  },
  'InvalidOperatorSetProof()': {
    problem: 'the proof does not lead to the posted root',
    fix: 'make the proof anew from the tables of that very root',
  },
  'InvalidProofLength()': {
    problem: 'the proof has no whole number of hashes',
    fix: 'make the proof anew from the tables of that very root',
  },
  'TableUpdateForPastTimestamp()': {
    problem: 'the chain has this table or a newer one already',
    fix: 'nothing is to be done',
  },

  // rewards
  'StrategiesNotInAscendingOrder()': {
    problem: 'the strategies do not ascend',
    fix: 'this is a defect of the caller: report it',
  },
  'OperatorsNotInAscendingOrder()': {
    problem: 'the operators do not ascend, or one occurs twice',
    fix: 'this is a defect of the caller: report it',
  },
  'SubmissionNotRetroactive()': {
    problem: 'the period is not over yet',
    fix: 'end it before now: rewards to operators are for the past alone',
  },
  'AmountIsZero()': { problem: 'an operator would get nothing', fix: 'raise the amount' },
  'AmountExceedsMax()': {
    problem: 'one submission pays at most 1e38 - 1 units',
    fix: 'split the amount over several periods',
  },
  'DurationExceedsMax()': {
    problem: 'the period is longer than EigenLayer takes',
    fix: 'submit it in parts; `matchmaker rewards operators submit` says how long they may be',
  },
  'DurationIsZero()': { problem: 'the period is empty', fix: 'end it after its start' },
  'InvalidDurationRemainder()': {
    problem: "the period is no multiple of EigenLayer's calculation interval",
    fix: 'choose --from and --to on multiples of it',
  },
  'InvalidStartTimestampRemainder()': {
    problem: "the period does not begin on a multiple of EigenLayer's calculation interval",
    fix: 'choose --from on a multiple of it',
  },
  'StartTimestampTooFarInPast()': {
    problem: 'the period begins longer ago than EigenLayer takes',
    fix: 'choose a later --from; what is older can no longer be paid this way',
  },
  'StartTimestampTooFarInFuture()': { problem: 'the period begins too late', fix: 'choose an earlier --from' },
  'UnauthorizedCaller()': {
    problem: 'this account may not do that',
    fix: "for a claim: sign with the earner's key, or with the claimer's that the earner named; for a root: with the rewards updater's",
  },
  'InvalidEarner()': { problem: 'the account that is named as earner is none', fix: 'check the address' },
  'EarningsNotGreaterThanClaimed()': {
    problem: 'all of it was claimed already',
    fix: 'wait for the next distribution root',
  },
  'RootDisabled()': {
    problem: 'the root was taken back',
    fix: 'use another one: a new distribution root, or for a certificate the next operator table',
  },
  'RootNotActivated()': {
    problem: 'the distribution root is not active yet',
    fix: 'wait for its activation, which `matchmaker rewards operators status` shows',
  },
  'RootAlreadyActivated()': {
    problem: 'the distribution root is active, so it can no longer be taken back',
    fix: 'submit a corrected root for the next period',
  },
  'InvalidRoot()': {
    problem: 'there is no such root, or it was taken back',
    fix: 'use the newest one',
  },
  'InvalidRootIndex()': {
    problem: 'there is no distribution root with that number',
    fix: 'take one from `matchmaker rewards operators status`',
  },
  'InvalidClaimProof()': {
    problem: 'the proof does not lead to the distribution root',
    fix: 'make the claim anew from the distribution of that very root',
  },
  'InvalidEarnerLeafIndex()': {
    problem: "the proof does not fit the earner's place in the distribution",
    fix: 'make the claim anew from the distribution of that very root',
  },
  'InvalidTokenLeafIndex()': {
    problem: "the proof does not fit the token's place among the earner's",
    fix: 'make the claim anew from the distribution of that very root',
  },
  'NewRootMustBeForNewCalculatedPeriod()': {
    problem: 'a root for this time or a later one was submitted already',
    fix: 'compute one that ends later',
  },
  'RewardsEndTimestampNotElapsed()': { problem: 'the root ends in the future', fix: 'end it before now' },
  'SplitExceedsMax()': { problem: 'a split is at most 10000 basis points', fix: 'name 10000 or less' },
  'PreviousSplitPending()': { problem: 'an earlier change of the split is not in force yet', fix: 'wait until it is' },
  'SafeERC20FailedOperation(address)': {
    problem: 'the token refused the transfer',
    fix: 'check the balance and that the token is not paused',
  },
};

/** The errors of the table as an ABI. */
export const adviceErrorsAbi: Abi = parseAbi(Object.keys(EIGEN_ADVICE).map((signature) => `error ${signature}`));

const adviceByName = new Map(
  Object.entries(EIGEN_ADVICE).map(([signature, advice]) => [signature.slice(0, signature.indexOf('(')), advice]),
);

/** Advice for a custom error by its name; null for one that a person's call does not meet. */
export function adviceFor(errorName: string | null): EigenAdvice | null {
  return errorName === null ? null : (adviceByName.get(errorName) ?? null);
}
