// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { LibBit } from "solady/utils/LibBit.sol";

import { CurveType, OperatorSet, SlashingParams } from "../eigenlayer/EigenTypes.sol";
import { IAllocationManager } from "../eigenlayer/IAllocationManager.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { IStrategy } from "../eigenlayer/IStrategy.sol";
import { Fault } from "./Evidence.sol";
import { IFaultJudge, Verdict } from "./IFaultJudge.sol";
import { IMatchmakerSlasher } from "./IMatchmakerSlasher.sol";
import { ISlashVault } from "./ISlashVault.sol";

/// @notice Whom to slash, by how much, and where it goes.
struct SlasherTerms {
    IAllocationManager allocationManager;
    IKeyRegistrar keyRegistrar;
    IFaultJudge judge;
    ISlashVault vault;
    OperatorSet operatorSet;
    CurveType curve;
    IStrategy strategy;
    /// Of 1e18, for two batches of one round.
    uint64 equivocationWad;
    /// Of 1e18, for a batch that breaks the rules.
    uint64 wrongBatchWad;
}

/// @title The operator set's slasher: proven offences, and each of their signers slashed once for them.
/// @dev There is no veto: evidence is objective, and whoever could stop a slash could also sell that. Assumes that EigenLayer's contracts and
/// the judge are what they claim to be, and that the vault is the set's redistribution recipient. A signer is looked up by its key when it is
/// slashed; a key that was given up since has passed through the whole time in which it could be slashed. Two batches of a round show nothing
/// of when they were signed, so a stolen key can make such pairs at will: one slash covers all of them that are proven before it or within a
/// challenge window after it, which is the time in which the operator can give the key up.
contract MatchmakerSlasher is IMatchmakerSlasher, ReentrancyGuardTransient {
    uint256 private constant MAX_SLASHED_PER_CALL = 32;
    uint64 private constant WAD = 1e18;
    /// Below this EigenLayer's own rounding begins to show.
    uint64 private constant MIN_WAD = 1e14;
    uint256 private constant ECDSA_KEY_BYTES = 20;
    uint256 private constant BN254_KEY_BYTES = 64;

    /// What became of one signer.
    enum Outcome {
        Slashed,
        NotSlashable,
        SlashedBefore
    }

    IAllocationManager public immutable allocationManager;
    IKeyRegistrar public immutable keyRegistrar;
    /// @inheritdoc IMatchmakerSlasher
    IFaultJudge public immutable judge;
    /// @inheritdoc IMatchmakerSlasher
    ISlashVault public immutable vault;
    /// @inheritdoc IMatchmakerSlasher
    IStrategy public immutable strategy;
    address private immutable _AVS;
    uint32 private immutable _SET_ID;
    uint256 private immutable _KEY_BYTES;
    uint64 private immutable _EQUIVOCATION_WAD;
    uint64 private immutable _WRONG_BATCH_WAD;
    /// For so long one slash covers whatever other rounds an operator signed two batches of.
    uint32 private immutable _EQUIVOCATION_PAUSE_SECONDS;

    mapping(bytes32 commitment => uint256) private _commitmentBlocks;
    mapping(bytes32 offenceId => Offence) private _offences;
    /// Which entries of a batch's table were accused of it.
    mapping(bytes32 accusation => uint256) private _accused;
    /// Operator, round and kind of offence.
    mapping(bytes32 slashing => bool) private _slashed;
    mapping(address operator => uint256) private _equivocationSlashedAt;

    constructor(SlasherTerms memory terms) {
        _checkWad(terms.equivocationWad);
        _checkWad(terms.wrongBatchWad);
        allocationManager = terms.allocationManager;
        keyRegistrar = terms.keyRegistrar;
        judge = terms.judge;
        vault = terms.vault;
        strategy = terms.strategy;
        _AVS = terms.operatorSet.avs;
        _SET_ID = terms.operatorSet.id;
        _KEY_BYTES = terms.curve == CurveType.ECDSA ? ECDSA_KEY_BYTES : BN254_KEY_BYTES;
        _EQUIVOCATION_WAD = terms.equivocationWad;
        _WRONG_BATCH_WAD = terms.wrongBatchWad;
        _EQUIVOCATION_PAUSE_SECONDS = terms.judge.challengeWindowSeconds();
    }

    /// @inheritdoc IMatchmakerSlasher
    function commit(bytes32 commitment) external {
        if (_commitmentBlocks[commitment] != 0) revert CommitmentExists(commitment);
        _commitmentBlocks[commitment] = block.number;
        emit Committed(commitment, msg.sender);
    }

    /// @inheritdoc IMatchmakerSlasher
    function prove(Fault fault, bytes calldata evidence, bytes32 salt) external returns (bytes32 offenceId) {
        _useCommitment(keccak256(abi.encode(msg.sender, fault, keccak256(evidence), salt)));
        Verdict memory verdict = judge.judge(fault, evidence);

        bytes32 accusation = keccak256(abi.encode(_isEquivocation(fault), verdict.messageHash));
        uint256 accused = _accused[accusation];
        // Whoever was left out of the certificate of an earlier proof is not safe for it.
        uint256 positions = verdict.positions & ~accused;
        if (positions == 0) revert OffenceKnown(verdict.messageHash);
        bytes memory signers = _pick(verdict.signers, verdict.positions, positions);
        _accused[accusation] = accused | positions;

        offenceId = keccak256(abi.encode(accusation, positions));
        _offences[offenceId] = Offence({
            fault: fault,
            round: verdict.round,
            orderId: verdict.orderId,
            tokenId: verdict.tokenId,
            provenAt: uint32(block.timestamp),
            challenger: msg.sender,
            messageHash: verdict.messageHash,
            snapshotHash: verdict.snapshotHash,
            signersHash: keccak256(signers),
            slashed: 0
        });
        emit OffenceProven(offenceId, fault, msg.sender, verdict.round, verdict.messageHash, verdict.orderId, signers);
    }

    /// @inheritdoc IMatchmakerSlasher
    function slash(bytes32 offenceId, bytes calldata signers, uint256 which) external nonReentrant returns (uint256 slashedCount) {
        Offence memory offence = _offences[offenceId];
        if (offence.provenAt == 0) revert OffenceUnknown(offenceId);
        if (keccak256(signers) != offence.signersHash) revert SignersMismatch();
        uint256 selected = LibBit.popCount(which);
        if (selected > MAX_SLASHED_PER_CALL) revert TooManySigners(selected);
        uint256 slashed = offence.slashed;
        uint256 slashedBefore = 0;
        address operator;
        for (; which != 0; which &= which - 1) {
            uint256 index = LibBit.ffs(which);
            if ((index + 1) * _KEY_BYTES > signers.length) revert SignerIndexOutOfRange(index);
            bytes memory key = signers[index * _KEY_BYTES:(index + 1) * _KEY_BYTES];
            Outcome outcome;
            (outcome, operator) = _slashSigner(offenceId, offence, index, key);
            if (outcome == Outcome.SlashedBefore) slashedBefore++;
            if (outcome != Outcome.Slashed) continue;
            slashed |= 1 << index;
            slashedCount++;
        }
        if (selected != 0 && slashedBefore == selected) revert AlreadySlashed(operator);
        _offences[offenceId].slashed = slashed;
    }

    /// @inheritdoc IMatchmakerSlasher
    function offenceOf(bytes32 offenceId) external view returns (Offence memory) {
        return _offences[offenceId];
    }

    /// @inheritdoc IMatchmakerSlasher
    function commitmentBlock(bytes32 commitment) external view returns (uint256) {
        return _commitmentBlocks[commitment];
    }

    /// @inheritdoc IMatchmakerSlasher
    function isSlashed(address operator, uint64 round, bool equivocation) external view returns (bool) {
        return _slashed[_slashing(operator, round, equivocation)];
    }

    /// @inheritdoc IMatchmakerSlasher
    function challengeWindowSeconds() external view returns (uint32) {
        return judge.challengeWindowSeconds();
    }

    /// @inheritdoc IMatchmakerSlasher
    function wadOf(Fault fault) public view returns (uint64) {
        return _isEquivocation(fault) ? _EQUIVOCATION_WAD : _WRONG_BATCH_WAD;
    }

    /// @inheritdoc IMatchmakerSlasher
    function operatorSet() public view returns (OperatorSet memory) {
        return OperatorSet({ avs: _AVS, id: _SET_ID });
    }

    function _useCommitment(bytes32 commitment) private {
        uint256 committedAt = _commitmentBlocks[commitment];
        if (committedAt == 0) revert CommitmentUnknown(commitment);
        // In the same block a copy could stand before the original.
        if (block.number <= committedAt) revert CommitmentTooYoung(committedAt + 1);
        delete _commitmentBlocks[commitment];
    }

    /// Slashes the operator that holds the key in the set now; one that cannot be slashed can be tried again and blocks nobody.
    function _slashSigner(bytes32 offenceId, Offence memory offence, uint256 index, bytes memory key)
        private
        returns (Outcome outcome, address operator)
    {
        bool slashable;
        (slashable, operator) = _operatorOf(key);
        bytes32 slashing = _slashing(operator, offence.round, _isEquivocation(offence.fault));
        if (_slashed[slashing] || _isCovered(operator, offence)) return (Outcome.SlashedBefore, operator);
        if (slashable) {
            _slashed[slashing] = true;
            try allocationManager.slashOperator(_AVS, _params(operator, offence.fault)) returns (uint256 slashId, uint256[] memory shares) {
                if (_isEquivocation(offence.fault)) _equivocationSlashedAt[operator] = block.timestamp;
                emit SignerSlashed(offenceId, operator, index, slashId, shares[0]);
                vault.noteSlash(offenceId, slashId, shares[0]);
                // A strategy that pays nothing out now must not keep an operator from being slashed; collecting can be repeated.
                // forge-lint: disable-next-line(unchecked-call)
                try vault.collect(slashId) returns (uint256) { } catch { }
                return (Outcome.Slashed, operator);
            } catch {
                _slashed[slashing] = false;
            }
        }
        emit SignerNotSlashable(offenceId, operator, index);
        return (Outcome.NotSlashable, operator);
    }

    /// Whether the operator paid for two batches of a round so lately that this offence is paid for with it.
    function _isCovered(address operator, Offence memory offence) private view returns (bool) {
        if (!_isEquivocation(offence.fault)) return false;
        uint256 slashedAt = _equivocationSlashedAt[operator];
        return slashedAt != 0 && offence.provenAt <= slashedAt + _EQUIVOCATION_PAUSE_SECONDS;
    }

    /// Who holds the key in the set, and whether there is anything of it to slash: EigenLayer uses up a slash id for nothing otherwise.
    function _operatorOf(bytes memory key) private view returns (bool slashable, address operator) {
        OperatorSet memory set = operatorSet();
        bool registered;
        (operator, registered) = keyRegistrar.getOperatorFromSigningKey(set, key);
        // The registrar says that the operator has a key in the set, which need not be this one.
        slashable = registered && keyRegistrar.getKeyHash(set, operator) == keccak256(key)
            && allocationManager.isOperatorSlashable(operator, set)
            && allocationManager.getAllocation(operator, set, strategy).currentMagnitude != 0;
    }

    function _params(address operator, Fault fault) private view returns (SlashingParams memory params) {
        params.operator = operator;
        params.operatorSetId = _SET_ID;
        params.strategies = new IStrategy[](1);
        params.strategies[0] = strategy;
        params.wadsToSlash = new uint256[](1);
        params.wadsToSlash[0] = wadOf(fault);
        params.description = _isEquivocation(fault) ? "Matchmaker: signed two batches of a round" : "Matchmaker: signed a wrong batch";
    }

    /// Those keys whose position is in `wanted`, a part of `positions`.
    function _pick(bytes memory keys, uint256 positions, uint256 wanted) private view returns (bytes memory picked) {
        if (wanted == positions) return keys;
        uint256 keyBytes = _KEY_BYTES;
        picked = new bytes(LibBit.popCount(wanted) * keyBytes);
        uint256 from;
        uint256 to;
        assembly ("memory-safe") {
            from := add(keys, 0x20)
            to := add(picked, 0x20)
        }
        for (; positions != 0; positions &= positions - 1) {
            if (wanted & positions & (~positions + 1) != 0) {
                assembly ("memory-safe") {
                    mcopy(to, from, keyBytes)
                    to := add(to, keyBytes)
                }
            }
            from += keyBytes;
        }
    }

    function _slashing(address operator, uint64 round, bool equivocation) private pure returns (bytes32) {
        return keccak256(abi.encode(operator, round, equivocation));
    }

    function _isEquivocation(Fault fault) private pure returns (bool) {
        return fault == Fault.Equivocation;
    }

    function _checkWad(uint64 wad) private pure {
        if (wad < MIN_WAD || wad > WAD) revert WadOutOfRange(wad);
    }
}
