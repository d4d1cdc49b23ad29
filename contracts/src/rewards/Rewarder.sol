// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import { IMarketPause } from "../governance/IMarketPause.sol";
import { MarketContracts } from "../governance/MarketContracts.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { IRewardOracle } from "./IRewardOracle.sol";
import { IRewarder, RewardTerms, RootState } from "./IRewarder.sol";

/// @title Pays rewards: eras are closed on-chain, computed off-chain by a published rule, posted as a Merkle root, contestable until active.
/// @dev What a root says is checked by whoever recomputes it before it is active, and by nobody after: the poster together with a silent
/// guardian can give an era's cap to anyone. Held back from them: what is not funded, more than the cap of an era, what others have already
/// claimed, and every root that is active. Assumes a reward token that moves exactly what it is asked to. A root of an era pays for everything
/// since the root before it, so a disabled or left-out era is made up for by the next. Upgradeable.
contract Rewarder is IRewarder, MarketModule, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice Longest delay before a root pays.
    uint32 public constant MAX_ACTIVATION_SECONDS = 30 days;
    /// @notice Longest uri of a list or of a contest, in bytes.
    uint256 public constant MAX_URI_BYTES = 256;

    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_COMPLIANCE_BPS = 20_000;

    /// @custom:storage-location erc7201:matchmaker.storage.Rewarder
    struct Layout {
        uint128 totalFunded;
        uint128 totalClaimed;
        /// Bonds of running contests and credits, owed beside what is funded.
        uint128 bondsHeld;
        uint128 creditsHeld;
        uint128 contestBond;
        uint32 activationSeconds;
        /// Newest closed era, and newest era with a root that stands, each plus one; 0 for none.
        uint40 closedNext;
        uint40 rootNext;
        address treasury;
        RewardTerms terms;
        mapping(uint32 era => Closing) closings;
        mapping(uint32 era => Root) roots;
        mapping(address earner => uint256) claimed;
        mapping(address earner => address) wallets;
        mapping(address account => uint256) credits;
        /// The last era whose rewards are lost, plus one.
        mapping(address earner => uint40) forfeitedNext;
    }

    struct Closing {
        uint64 blockNumber;
        uint64 rewardTokenMicroUsd;
        uint64 nativeMicroUsd;
        uint128 maxPerEra;
    }

    struct Root {
        bytes32 root;
        uint128 cumulativeTotal;
        uint128 bond;
        uint40 activeAt;
        /// Era of the root before this one, plus one; 0 for none.
        uint40 previousNext;
        RootState state;
        address challenger;
    }

    bytes32 private constant LAYOUT_SLOT = 0x5fe23bc56bd92afb049d2733929bab2764557080481169028b8e08e5759f6100;

    IMarketPause public immutable marketPause;
    IRewardOracle public immutable rewardOracle;
    address public immutable stakingManager;
    /// @inheritdoc IRewarder
    address public immutable rewardToken;

    constructor(MarketContracts memory market, address rewardToken_) {
        marketPause = IMarketPause(market.pause);
        rewardOracle = IRewardOracle(market.rewardOracle);
        stakingManager = market.stakingManager;
        rewardToken = rewardToken_;
    }

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority, RewardTerms calldata terms, uint32 activationSeconds, uint128 contestBond, address treasury)
        external
        initializer
    {
        __AccessManaged_init(authority);
        _setRewardTerms(terms);
        _setDistributionTerms(activationSeconds, contestBond, treasury);
    }

    // ---- funds and eras

    /// @inheritdoc IRewarder
    /// @dev What arrives counts.
    function fund(uint256 amount) external nonReentrant {
        uint256 received = _take(msg.sender, amount);
        if (received == 0) revert InvalidAmount();
        Layout storage state = _layout();
        uint128 funded = state.totalFunded + uint128(received);
        state.totalFunded = funded;
        emit Funded(msg.sender, received, funded);
    }

    /// @inheritdoc IRewarder
    /// @dev Which block that is, a node tells by the log: on Arbitrum chains the event's number is that of L1.
    function closeEra(uint32 era) external {
        Layout storage state = _layout();
        (uint40 eraZero, uint32 eraSeconds) = rewardOracle.eraTerms();
        if (block.timestamp < eraZero + (uint256(era) + 1) * eraSeconds) revert EraNotOver(era);
        if (era < state.closedNext) revert EraAlreadyClosed(era);
        (uint64 rewardTokenMicroUsd, uint64 nativeMicroUsd) = rewardOracle.prices();
        RewardTerms memory terms = state.terms;
        state.closedNext = uint40(era) + 1;
        state.closings[era] = Closing(uint64(block.number), rewardTokenMicroUsd, nativeMicroUsd, terms.maxPerEra);
        emit EraClosed(era, uint64(block.number), rewardTokenMicroUsd, nativeMicroUsd, terms);
    }

    // ---- roots

    /// @inheritdoc IRewarder
    function proposeRoot(uint32 era, bytes32 root, uint256 cumulativeTotal, bytes32 participationHash, string calldata uri)
        external
        restricted
    {
        marketPause.requireRunning();
        Layout storage state = _layout();
        if (root == 0) revert RootStateInvalid(era, RootState.None);
        if (bytes(uri).length > MAX_URI_BYTES) revert RewardTermsInvalid("uri");
        Closing storage closing = state.closings[era];
        if (closing.blockNumber == 0) revert EraNotClosed(era);
        uint40 previousNext = state.rootNext;
        uint256 before;
        if (previousNext != 0) {
            uint32 newest = uint32(previousNext - 1);
            if (era <= newest) revert RootNotNewer(era, newest);
            if (!_isActive(state.roots[newest])) revert RootPending(newest);
            before = state.roots[newest].cumulativeTotal;
        }
        if (cumulativeTotal < before) revert TotalDecreased(cumulativeTotal, before);
        if (cumulativeTotal > state.totalFunded) revert NotFunded(cumulativeTotal, state.totalFunded);
        if (cumulativeTotal - before > closing.maxPerEra) revert EraCapExceeded(cumulativeTotal - before, closing.maxPerEra);
        uint40 activeAt = uint40(block.timestamp) + state.activationSeconds;
        state.rootNext = uint40(era) + 1;
        state.roots[era] = Root({
            root: root,
            cumulativeTotal: uint128(cumulativeTotal),
            bond: 0,
            activeAt: activeAt,
            previousNext: previousNext,
            state: RootState.Pending,
            challenger: address(0)
        });
        emit RootProposed(era, root, cumulativeTotal, activeAt, participationHash, uri);
    }

    /// @inheritdoc IRewarder
    function contest(uint32 era, string calldata uri) external nonReentrant {
        if (bytes(uri).length > MAX_URI_BYTES) revert RewardTermsInvalid("uri");
        Layout storage state = _layout();
        Root storage root = _pendingRoot(state, era);
        root.state = RootState.Contested;
        root.challenger = msg.sender;
        uint128 bond = state.contestBond;
        if (bond != 0) {
            bond = uint128(_take(msg.sender, bond));
            root.bond = bond;
            state.bondsHeld += bond;
        }
        emit RootContested(era, msg.sender, bond, uri);
    }

    /// @inheritdoc IRewarder
    function resolve(uint32 era, bool upheld) external restricted {
        Layout storage state = _layout();
        Root storage root = state.roots[era];
        if (root.state != RootState.Contested) revert RootStateInvalid(era, root.state);
        address challenger = root.challenger;
        uint128 bond = root.bond;
        root.challenger = address(0);
        root.bond = 0;
        state.bondsHeld -= bond;
        state.creditsHeld += bond;
        state.credits[upheld ? challenger : state.treasury] += bond;
        emit ContestResolved(era, challenger, upheld);
        if (upheld) {
            _disable(state, era, root);
        } else {
            root.state = RootState.Pending;
            root.activeAt = uint40(block.timestamp) + state.activationSeconds;
        }
    }

    /// @inheritdoc IRewarder
    /// @dev A contested root is the contest's to decide.
    function disableRoot(uint32 era) external restricted {
        Layout storage state = _layout();
        _disable(state, era, _pendingRoot(state, era));
    }

    // ---- earners

    /// @inheritdoc IRewarder
    function claim(address earner, uint256 cumulative, bytes32[] calldata proof) external nonReentrant returns (uint256 amount) {
        Layout storage state = _layout();
        (bool found, uint32 era) = _activeEra(state);
        if (!found) revert NoActiveRoot();
        uint40 forfeitedNext = state.forfeitedNext[earner];
        if (era < forfeitedNext) revert EarnerForfeited(earner, uint32(forfeitedNext - 1));
        Root storage root = state.roots[era];
        if (!MerkleProof.verifyCalldata(proof, root.root, _leaf(earner, cumulative))) revert InvalidProof();
        uint256 before = state.claimed[earner];
        if (cumulative <= before) revert NothingToClaim(earner);
        amount = cumulative - before;
        uint256 total = state.totalClaimed + amount;
        // A root whose leaves add up to more than it said pays until what it said is used up.
        if (total > root.cumulativeTotal) revert NotFunded(total, root.cumulativeTotal);
        state.claimed[earner] = cumulative;
        state.totalClaimed = uint128(total);
        address wallet = rewardWalletOf(earner);
        emit RewardClaimed(earner, wallet, amount, cumulative, era);
        IERC20(rewardToken).safeTransfer(wallet, amount);
    }

    /// @inheritdoc IRewarder
    /// @dev Zero takes the wallet away: the earner itself is paid.
    function setRewardWallet(address wallet) external {
        _layout().wallets[msg.sender] = wallet;
        emit RewardWalletUpdated(msg.sender, wallet);
    }

    /// @inheritdoc IRewarder
    /// @dev The era that runs is lost with those before it.
    function forfeit(address earner) external {
        if (msg.sender != stakingManager) revert NotAuthorized(msg.sender);
        Layout storage state = _layout();
        uint32 untilEra = rewardOracle.currentEra();
        state.forfeitedNext[earner] = uint40(untilEra) + 1;
        emit RewardsForfeited(earner, state.claimed[earner], untilEra);
    }

    /// @inheritdoc IRewarder
    function withdrawCredit() external nonReentrant returns (uint256 amount) {
        Layout storage state = _layout();
        amount = state.credits[msg.sender];
        if (amount == 0) revert InvalidAmount();
        state.credits[msg.sender] = 0;
        state.creditsHeld -= uint128(amount);
        emit CreditWithdrawn(msg.sender, amount);
        IERC20(rewardToken).safeTransfer(msg.sender, amount);
    }

    // ---- parameters

    /// @inheritdoc IRewarder
    function setRewardTerms(RewardTerms calldata terms) external restricted {
        _setRewardTerms(terms);
    }

    /// @inheritdoc IRewarder
    function setDistributionTerms(uint32 activationSeconds, uint128 contestBond, address treasury) external restricted {
        _setDistributionTerms(activationSeconds, contestBond, treasury);
    }

    // ---- views

    /// @inheritdoc IRewarder
    function totalFunded() external view returns (uint256) {
        return _layout().totalFunded;
    }

    /// @inheritdoc IRewarder
    function totalClaimed() external view returns (uint256) {
        return _layout().totalClaimed;
    }

    /// @inheritdoc IRewarder
    function claimedOf(address earner) external view returns (uint256) {
        return _layout().claimed[earner];
    }

    /// @inheritdoc IRewarder
    function rewardWalletOf(address earner) public view returns (address) {
        address wallet = _layout().wallets[earner];
        return wallet == address(0) ? earner : wallet;
    }

    /// @inheritdoc IRewarder
    function creditOf(address account) external view returns (uint256) {
        return _layout().credits[account];
    }

    /// @inheritdoc IRewarder
    function forfeitOf(address earner) external view returns (bool forfeited, uint32 untilEra) {
        uint40 next = _layout().forfeitedNext[earner];
        return next == 0 ? (false, 0) : (true, uint32(next - 1));
    }

    /// @inheritdoc IRewarder
    function rootOf(uint32 era)
        external
        view
        returns (bytes32 root, uint256 cumulativeTotal, uint40 activeAt, RootState state, address challenger)
    {
        Root storage stored = _layout().roots[era];
        return (stored.root, stored.cumulativeTotal, stored.activeAt, stored.state, stored.challenger);
    }

    /// @inheritdoc IRewarder
    function activeEra() external view returns (uint32 era) {
        (, era) = _activeEra(_layout());
    }

    /// @inheritdoc IRewarder
    function standingRoot() external view returns (bool found, uint32 era) {
        uint40 next = _layout().rootNext;
        return next == 0 ? (false, 0) : (true, uint32(next - 1));
    }

    /// @inheritdoc IRewarder
    function closedEra(uint32 era) external view returns (uint64 blockNumber, uint64 rewardTokenMicroUsd, uint64 nativeMicroUsd) {
        Closing storage closing = _layout().closings[era];
        return (closing.blockNumber, closing.rewardTokenMicroUsd, closing.nativeMicroUsd);
    }

    /// @inheritdoc IRewarder
    function rewardTerms() external view returns (RewardTerms memory) {
        return _layout().terms;
    }

    /// @inheritdoc IRewarder
    function distributionTerms() external view returns (uint32 activationSeconds, uint128 contestBond, address treasury) {
        Layout storage state = _layout();
        return (state.activationSeconds, state.contestBond, state.treasury);
    }

    /// @inheritdoc IRewarder
    function liabilities() external view returns (uint256) {
        Layout storage state = _layout();
        return uint256(state.totalFunded) - state.totalClaimed + state.bondsHeld + state.creditsHeld;
    }

    // ---- internal

    /// What arrived of `amount`; an amount of 2^128 or more cannot have been counted anywhere.
    function _take(address from, uint256 amount) private returns (uint256 received) {
        if (amount > type(uint128).max) revert InvalidAmount();
        uint256 before = IERC20(rewardToken).balanceOf(address(this));
        IERC20(rewardToken).safeTransferFrom(from, address(this), amount);
        received = IERC20(rewardToken).balanceOf(address(this)) - before;
        if (received > amount) received = amount;
    }

    /// The root that can still be held or stopped.
    function _pendingRoot(Layout storage state, uint32 era) private view returns (Root storage root) {
        root = state.roots[era];
        if (root.state != RootState.Pending) revert RootStateInvalid(era, root.state);
        if (_isActive(root)) revert RootActive(era);
    }

    /// Only the newest root can be pending, so the one before it is the newest that stands again.
    function _disable(Layout storage state, uint32 era, Root storage root) private {
        root.state = RootState.Disabled;
        state.rootNext = root.previousNext;
        emit RootDisabled(era);
    }

    /// Hashed twice, so that no leaf can be passed off as a node.
    function _leaf(address earner, uint256 cumulative) private view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(block.chainid, address(this), earner, cumulative))));
    }

    function _isActive(Root storage root) private view returns (bool) {
        return root.state == RootState.Pending && block.timestamp >= root.activeAt;
    }

    function _activeEra(Layout storage state) private view returns (bool found, uint32 era) {
        uint40 next = state.rootNext;
        if (next == 0) return (false, 0);
        Root storage newest = state.roots[uint32(next - 1)];
        if (!_isActive(newest)) next = newest.previousNext;
        return next == 0 ? (false, 0) : (true, uint32(next - 1));
    }

    function _setRewardTerms(RewardTerms calldata terms) private {
        for (uint256 tier; tier < 7; ++tier) {
            if (terms.slashLineBps[tier] > BPS) revert RewardTermsInvalid("slashLineBps");
        }
        if (terms.complianceCapBps < BPS || terms.complianceCapBps > MAX_COMPLIANCE_BPS) revert RewardTermsInvalid("complianceCapBps");
        _layout().terms = terms;
        emit RewardTermsUpdated(terms);
    }

    function _setDistributionTerms(uint32 activationSeconds, uint128 contestBond, address treasury) private {
        if (activationSeconds == 0 || activationSeconds > MAX_ACTIVATION_SECONDS) revert RewardTermsInvalid("activationSeconds");
        if (treasury == address(0)) revert RewardTermsInvalid("treasury");
        Layout storage state = _layout();
        state.activationSeconds = activationSeconds;
        state.contestBond = contestBond;
        state.treasury = treasury;
        emit DistributionTermsUpdated(activationSeconds, contestBond, treasury);
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
