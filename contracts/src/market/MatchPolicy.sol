// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { PackingBounds } from "../rules/PackingBounds.sol";
import { PackingTerms } from "../rules/PackingTerms.sol";
import { PolicyHash } from "../rules/PolicyHash.sol";
import { ScheduleWord } from "../words/ScheduleWord.sol";
import { Slots } from "../words/Slots.sol";
import { BlockSource } from "./BlockSource.sol";
import { IMatchPolicy } from "./IMatchPolicy.sol";
import { Policy } from "./MarketTypes.sol";

/// @title The schedule of rounds and the policy each round is matched under.
/// @dev Two periods are kept. A change names a round that is at least two ahead, so no round that is open, or about to open, ever changes
/// its snapshot block or policy, and the period before the newest covers every round that can still be settled. Rules of a version that this
/// contract does not know may be scheduled, as nodes that do not know them abstain: then the packing terms are only what `packingHash` names,
/// and all else is bounded as in version 2. Upgradeable; its words stay in the slots of `Slots`, where nodes read them, and there is no other
/// state.
contract MatchPolicy is IMatchPolicy, MarketModule, BlockSource {
    /// A longer round would lose the hash of its snapshot block (256 are kept) before its last block.
    uint16 private constant MAX_LENGTH_BLOCKS = 200;
    /// Rounds between now and a change; a slip of a digit would otherwise block every later change for years.
    uint32 private constant MAX_LEAD_ROUNDS = 1 << 20;
    uint16 private constant BPS = 10_000;
    uint16 private constant MAX_COMPLIANCE_CAP_BPS = 20_000;
    uint16 private constant MAX_MATCHES = 512;
    uint32 private constant FIRST_RULES = 1;
    uint32 private constant PACKING_RULES = 2;
    /// Compliance times weighted components is at most 20000 x 10000 x 10000 = 2^41; with this every total stays far below 2^53.
    uint64 private constant JITTER_LIMIT = 1 << 36;
    uint32 private constant ROUNDS_LIMIT = 1 << 20;
    /// With 1 every round could be taken before its batch comes: a tenant and a provider who collude would stop the market.
    uint32 private constant MIN_SELF_MATCH_ROUNDS = 2;

    constructor(bool arbSys) BlockSource(arbSys) { }

    /// @notice Starts round 1 one length after this block. Called once, in the proxy's creation.
    function initialize(address authority, uint16 lengthBlocks, Policy calldata policy, PackingTerms calldata packing)
        external
        initializer
    {
        __AccessManaged_init(authority);
        _start(ScheduleWord.wrap(0), 1, _blockNumber() + lengthBlocks, lengthBlocks, policy, packing);
    }

    /// @inheritdoc IMatchPolicy
    function schedule(uint32 fromRound, uint16 lengthBlocks, Policy calldata policy, PackingTerms calldata packing) external restricted {
        ScheduleWord word = _schedule();
        uint256 next = word.fromRoundAt(_blockNumber());
        (uint256 newestFromRound,,) = word.newest();
        if (newestFromRound >= next) revert ScheduleChangePending(uint32(newestFromRound));
        if (fromRound < next + 2) revert FromRoundTooEarly(fromRound, SafeCast.toUint32(next + 2));
        if (fromRound > next + MAX_LEAD_ROUNDS) revert PolicyFieldInvalid("fromRound");
        (, uint256 fromBlock) = word.snapshotBlockOf(fromRound);
        _start(word, fromRound, fromBlock, lengthBlocks, policy, packing);
    }

    /// @inheritdoc IMatchPolicy
    function fromRoundNow() external view returns (uint32) {
        return SafeCast.toUint32(_schedule().fromRoundAt(_blockNumber()));
    }

    /// @inheritdoc IMatchPolicy
    function openRound() external view returns (uint32) {
        return SafeCast.toUint32(_schedule().openRoundAt(_blockNumber()));
    }

    /// @inheritdoc IMatchPolicy
    function snapshotBlock(uint32 round) external view returns (uint40) {
        return _snapshotBlock(_schedule(), round);
    }

    /// @inheritdoc IMatchPolicy
    function roundTerms(uint32 round) external view returns (uint40, uint40, bytes32) {
        ScheduleWord word = _schedule();
        (uint256 newestFromRound,,) = word.newest();
        uint256 hashSlot = round < newestFromRound ? Slots.POLICY_HASH_PREVIOUS : Slots.POLICY_HASH_NEWEST;
        return (_snapshotBlock(word, round), _snapshotBlock(word, uint256(round) + 1), bytes32(Slots.load(hashSlot)));
    }

    function _snapshotBlock(ScheduleWord word, uint256 round) private pure returns (uint40) {
        (bool known, uint256 number) = word.snapshotBlockOf(round);
        if (!known) revert RoundClosed(uint32(round));
        return SafeCast.toUint40(number);
    }

    function _start(
        ScheduleWord word,
        uint32 fromRound,
        uint256 fromBlock,
        uint16 lengthBlocks,
        Policy memory policy,
        PackingTerms memory packing
    ) private {
        if (lengthBlocks == 0 || lengthBlocks > MAX_LENGTH_BLOCKS) revert PolicyFieldInvalid("lengthBlocks");
        _validate(policy);
        _validatePacking(policy, packing);
        bytes32 policyHash = PolicyHash.ofMemory(policy);
        Slots.store(Slots.SCHEDULE, ScheduleWord.unwrap(word.push(fromRound, SafeCast.toUint40(fromBlock), lengthBlocks)));
        Slots.store(Slots.POLICY_HASH_PREVIOUS, Slots.load(Slots.POLICY_HASH_NEWEST));
        Slots.store(Slots.POLICY_HASH_NEWEST, uint256(policyHash));
        emit PolicyScheduled(fromRound, uint40(fromBlock), lengthBlocks, policyHash, policy, packing);
    }

    function _validatePacking(Policy memory policy, PackingTerms memory packing) private pure {
        if (policy.rulesVersion == FIRST_RULES) {
            if (policy.weightPackingBps != 0) revert PolicyFieldInvalid("weightPackingBps");
            if (policy.packingHash != 0) revert PolicyFieldInvalid("packingHash");
            PackingBounds.checkEmpty(packing);
            return;
        }
        if (policy.rulesVersion == PACKING_RULES) PackingBounds.check(packing);
        if (policy.packingHash != PolicyHash.ofPacking(packing)) revert PolicyFieldInvalid("packingHash");
    }

    function _validate(Policy memory policy) private pure {
        if (policy.rulesVersion == 0) revert PolicyFieldInvalid("rulesVersion");
        uint256 weights = uint256(policy.weightPriceBps) + policy.weightStakeBps + policy.weightFitBps + policy.weightRegionBps
            + policy.weightUptimeBps + policy.weightReputationBps + policy.weightPackingBps;
        if (weights != BPS) revert PolicyFieldInvalid("weights");
        if (policy.saturationWhole == 0) revert PolicyFieldInvalid("saturationWhole");
        if (policy.complianceCapBps < BPS || policy.complianceCapBps > MAX_COMPLIANCE_CAP_BPS) {
            revert PolicyFieldInvalid("complianceCapBps");
        }
        if (policy.jitterRange >= JITTER_LIMIT) revert PolicyFieldInvalid("jitterRange");
        if (policy.defaultUptimeBps > BPS) revert PolicyFieldInvalid("defaultUptimeBps");
        if (policy.defaultReputationBps > BPS) revert PolicyFieldInvalid("defaultReputationBps");
        if (policy.maxMatches == 0 || policy.maxMatches > MAX_MATCHES) revert PolicyFieldInvalid("maxMatches");
        if (policy.quorumBps == 0 || policy.quorumBps >= BPS) revert PolicyFieldInvalid("quorumBps");
        if (policy.minTotalStake == 0) revert PolicyFieldInvalid("minTotalStake");
        if (policy.maxTableAgeSeconds == 0) revert PolicyFieldInvalid("maxTableAgeSeconds");
        if (policy.coolRounds >= ROUNDS_LIMIT) revert PolicyFieldInvalid("coolRounds");
        if (policy.selfMatchRounds < MIN_SELF_MATCH_ROUNDS || policy.selfMatchRounds >= ROUNDS_LIMIT) {
            revert PolicyFieldInvalid("selfMatchRounds");
        }
    }

    function _schedule() private view returns (ScheduleWord) {
        return ScheduleWord.wrap(Slots.load(Slots.SCHEDULE));
    }
}
