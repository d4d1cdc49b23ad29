// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

import { OperatorSet } from "../eigenlayer/EigenTypes.sol";
import { IStrategy } from "../eigenlayer/IStrategy.sol";
import { IStrategyManager } from "../eigenlayer/IStrategyManager.sol";
import { SnapshotProof } from "./Evidence.sol";
import { IFaultJudge, Victim } from "./IFaultJudge.sol";
import { IMatchmakerSlasher } from "./IMatchmakerSlasher.sol";
import { ISlashVault } from "./ISlashVault.sol";

/// @notice Whose slashes come in, and how they are shared out.
struct VaultTerms {
    IStrategyManager strategyManager;
    IMatchmakerSlasher slasher;
    IFaultJudge judge;
    OperatorSet operatorSet;
    IStrategy strategy;
    uint16 challengerBps;
    uint16 victimBps;
    uint32 claimPeriodSeconds;
    address owner;
    address treasury;
}

/// @title Where slashed stake goes: a share to the challenger, then to the tenant who was wronged, the rest to the treasury.
/// @dev What is booked to an offence is what arrived for it, measured by balance, so the pots never hold more than the vault. Assumes a token
/// without fees that nothing takes out of the vault. A tenant gets at most `victimBps` of what came in: a quorum that wrongs a tenant of its own
/// must not get back what it loses. Tokens that arrive otherwise are nobody's and stay. The owner says what a loss is worth
/// and where the treasury is; it cannot touch what is booked, and a rate counts for the claims that are proven after it.
contract SlashVault is ISlashVault, Ownable2Step, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// A slash that the slasher made.
    struct Slash {
        bytes32 offenceId;
        /// 0 once collected.
        uint256 shares;
    }

    uint256 private constant BPS = 10_000;
    uint256 private constant MINUTES_PER_HOUR = 60;
    uint256 private constant MILLION = 1_000_000;

    IStrategyManager public immutable strategyManager;
    IMatchmakerSlasher public immutable slasher;
    IFaultJudge public immutable judge;
    IStrategy public immutable strategy;
    IERC20 public immutable token;
    /// @inheritdoc ISlashVault
    uint16 public immutable challengerBps;
    /// @inheritdoc ISlashVault
    uint16 public immutable victimBps;
    /// @inheritdoc ISlashVault
    uint32 public immutable claimPeriodSeconds;
    address private immutable _AVS;
    uint32 private immutable _SET_ID;

    /// @inheritdoc ISlashVault
    address public treasury;
    /// @inheritdoc ISlashVault
    uint256 public booked;
    /// @inheritdoc ISlashVault
    mapping(uint16 tokenId => uint256 stakePerMillionMicro) public compensationRate;
    mapping(uint256 slashId => Slash) private _slashes;
    mapping(bytes32 offenceId => Pot) private _pots;
    /// By batch and order, as a batch can be proven wrong more than once.
    mapping(bytes32 wrong => Claim) private _claims;

    constructor(VaultTerms memory terms) Ownable(terms.owner) {
        uint256 promisedBps = uint256(terms.challengerBps) + terms.victimBps;
        if (promisedBps > BPS) revert BpsOutOfRange(promisedBps);
        strategyManager = terms.strategyManager;
        slasher = terms.slasher;
        judge = terms.judge;
        strategy = terms.strategy;
        token = terms.strategy.underlyingToken();
        challengerBps = terms.challengerBps;
        victimBps = terms.victimBps;
        claimPeriodSeconds = terms.claimPeriodSeconds;
        _AVS = terms.operatorSet.avs;
        _SET_ID = terms.operatorSet.id;
        _setTreasury(terms.treasury);
    }

    /// @inheritdoc ISlashVault
    function noteSlash(bytes32 offenceId, uint256 slashId, uint256 shares) external {
        if (msg.sender != address(slasher)) revert OnlySlasher();
        _slashes[slashId] = Slash(offenceId, shares);
    }

    /// @inheritdoc ISlashVault
    /// @dev EigenLayer lets anyone have a slash paid out. What came in that way is credited at today's value of the shares, as far as there
    /// is money that is not booked yet.
    function collect(uint256 slashId) external nonReentrant returns (uint256 amount) {
        Slash memory noted = _slashes[slashId];
        if (noted.offenceId == 0) revert SlashUnknown(slashId);
        if (noted.shares == 0) revert NothingToPay();
        OperatorSet memory set = OperatorSet({ avs: _AVS, id: _SET_ID });
        uint256 balance = token.balanceOf(address(this));
        if (strategyManager.getBurnOrRedistributableShares(set, slashId, strategy) != 0) {
            strategyManager.clearBurnOrRedistributableSharesByStrategy(set, slashId, strategy);
            amount = token.balanceOf(address(this)) - balance;
        } else {
            amount = Math.min(Math.saturatingSub(balance, booked), strategy.sharesToUnderlyingView(noted.shares));
        }
        if (amount == 0) revert NothingToPay();
        _slashes[slashId].shares = 0;
        _pots[noted.offenceId].collected += amount;
        booked += amount;
        emit SlashCollected(noted.offenceId, slashId, amount);
    }

    /// @inheritdoc ISlashVault
    function payChallenger(bytes32 offenceId) external nonReentrant returns (uint256 amount) {
        address challenger = _offence(offenceId).challenger;
        Pot storage pot = _pots[offenceId];
        amount = _challengerShare(pot.collected) - pot.challengerPaid;
        pot.challengerPaid += amount;
        emit ChallengerPaid(offenceId, challenger, amount);
        _pay(challenger, amount);
    }

    /// @inheritdoc ISlashVault
    function proveVictim(bytes32 offenceId, SnapshotProof calldata snapshot, bytes[] calldata ownerWord) external {
        IMatchmakerSlasher.Offence memory offence = _offence(offenceId);
        if (offence.orderId == 0) revert NoVictim(offenceId);
        uint256 until = uint256(offence.provenAt) + claimPeriodSeconds;
        if (block.timestamp > until) revert ClaimPeriodOver(until);
        Claim storage claim = _claims[_wrong(offence)];
        if (claim.tenant != address(0)) revert VictimKnown(offenceId);
        Victim memory victim = judge.victimOf(offence.snapshotHash, offence.orderId, snapshot, ownerWord);
        uint256 atStake = uint256(victim.maxPriceMicroPerHour) * victim.durationMinutes;
        // Rounds down: the rest is the treasury's.
        uint256 loss = Math.saturatingMul(atStake, compensationRate[offence.tokenId]) / (MINUTES_PER_HOUR * MILLION);
        if (loss == 0) revert NoVictim(offenceId);
        claim.tenant = victim.tenant;
        claim.loss = loss;
        emit VictimProven(offenceId, victim.tenant, loss);
    }

    /// @inheritdoc ISlashVault
    function payVictim(bytes32 offenceId) external nonReentrant returns (uint256 amount) {
        Claim storage claim = _claims[_wrong(_offence(offenceId))];
        address tenant = claim.tenant;
        if (tenant == address(0)) revert NoVictim(offenceId);
        Pot storage pot = _pots[offenceId];
        amount = _owedToVictim(pot, claim);
        pot.victimPaid += amount;
        claim.paid += amount;
        emit VictimPaid(offenceId, tenant, amount);
        _pay(tenant, amount);
    }

    /// @inheritdoc ISlashVault
    function payTreasury(bytes32 offenceId) external nonReentrant returns (uint256 amount) {
        IMatchmakerSlasher.Offence memory offence = _offence(offenceId);
        uint256 until = uint256(offence.provenAt) + claimPeriodSeconds;
        if (block.timestamp <= until) revert ClaimPeriodOpen(until);
        Pot storage pot = _pots[offenceId];
        // What a proven tenant has not fetched yet waits for it.
        amount = _left(pot) - _owedToVictim(pot, _claims[_wrong(offence)]);
        pot.treasuryPaid += amount;
        emit TreasuryPaid(offenceId, amount);
        _pay(treasury, amount);
    }

    /// @inheritdoc ISlashVault
    function setCompensationRate(uint16 tokenId, uint256 stakePerMillionMicro) external onlyOwner {
        compensationRate[tokenId] = stakePerMillionMicro;
        emit CompensationRateSet(tokenId, stakePerMillionMicro);
    }

    /// @inheritdoc ISlashVault
    function setTreasury(address treasury_) external onlyOwner {
        _setTreasury(treasury_);
    }

    /// @inheritdoc ISlashVault
    function potOf(bytes32 offenceId) external view returns (Pot memory) {
        return _pots[offenceId];
    }

    /// @inheritdoc ISlashVault
    function claimOf(bytes32 offenceId) external view returns (Claim memory) {
        return _claims[_wrong(_offence(offenceId))];
    }

    /// @inheritdoc ISlashVault
    function slashOf(uint256 slashId) external view returns (bytes32 offenceId, uint256 shares) {
        return (_slashes[slashId].offenceId, _slashes[slashId].shares);
    }

    function _pay(address to, uint256 amount) private {
        if (amount == 0) revert NothingToPay();
        booked -= amount;
        token.safeTransfer(to, amount);
    }

    function _setTreasury(address treasury_) private {
        if (treasury_ == address(0)) revert TreasuryZero();
        treasury = treasury_;
        emit TreasurySet(treasury_);
    }

    function _offence(bytes32 offenceId) private view returns (IMatchmakerSlasher.Offence memory offence) {
        offence = slasher.offenceOf(offenceId);
        if (offence.provenAt == 0) revert OffenceUnknown(offenceId);
    }

    /// What of a pot is neither the challenger's nor paid.
    function _left(Pot storage pot) private view returns (uint256) {
        return pot.collected - _challengerShare(pot.collected) - pot.victimPaid - pot.treasuryPaid;
    }

    /// What a proven tenant has not got yet, as far as the pot holds it and the tenant may have it. Rounds down: the rest is the treasury's.
    function _owedToVictim(Pot storage pot, Claim storage claim) private view returns (uint256) {
        uint256 most = Math.saturatingSub(pot.collected * victimBps / BPS, pot.victimPaid);
        return Math.min(Math.min(_left(pot), most), claim.loss - claim.paid);
    }

    /// Rounds down: what is left over is the tenant's or the treasury's.
    function _challengerShare(uint256 collected) private view returns (uint256) {
        return collected * challengerBps / BPS;
    }

    function _wrong(IMatchmakerSlasher.Offence memory offence) private pure returns (bytes32) {
        return keccak256(abi.encode(offence.messageHash, offence.orderId));
    }
}
