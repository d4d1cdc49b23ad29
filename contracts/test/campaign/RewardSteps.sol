// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { ProviderStatus } from "../../src/market/MarketTypes.sol";
import { EraResult, IRewardOracle } from "../../src/rewards/IRewardOracle.sol";
import { IRewarder, RootState } from "../../src/rewards/IRewarder.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { ComplianceSteps } from "./ComplianceSteps.sol";

/// @notice Eras: funded, closed at feeds that may lie, results posted, roots proposed, contested, disabled, claimed.
abstract contract RewardSteps is ComplianceSteps {
    struct RootBook {
        RootState state;
        uint40 activeAt;
        uint40 previousNext;
        address challenger;
        uint256 bond;
        uint256 total;
        uint256[4] cumulative;
    }

    uint256 private constant BOND = 1000 ether;
    uint256 private constant MOST_PER_ERA = 1_000_000 ether;
    uint40 private constant ACTIVATION = 7 days;

    uint256 private _funded;
    uint256 private _claimed;
    uint256 private _bondsHeld;
    uint256 private _creditsHeld;
    uint256 private _rewardsDonated;
    uint40 private _closedNext;
    uint40 private _rootNext;
    mapping(uint32 era => bool) private _closed;
    mapping(uint32 era => RootBook) private _roots;
    mapping(address earner => uint256) private _claimedOf;
    mapping(address earner => address) private _walletOf;
    mapping(address account => uint256) private _creditOf;
    mapping(uint32 era => mapping(uint24 providerId => bool)) private _posted;
    /// What the reward feed says; whether that must be refused, and with what.
    bytes4 private _feedRefusal;
    uint256 private _feedUpdatedAt;
    uint256 private _nativeUpdatedAt;
    address[4] private _earners;

    function setUp() public virtual override {
        super.setUp();
        _earners = [owners[0], owners[1], delegators[0], makeAddr("operator")];
        (_feedUpdatedAt, _nativeUpdatedAt) = (block.timestamp, block.timestamp);
        rewardFeed.setAnswer(5_000_000);
        nativeFeed.setAnswer(3000e8);
    }

    function _rewardStep() internal {
        uint256 kind = _draw(20);
        if (kind < 2) _fundRewards();
        else if (kind < 4) _feed();
        else if (kind < 7) _closeSomeEra();
        else if (kind < 9) _postSomeResult();
        else if (kind < 12) _proposeSomeRoot();
        else if (kind == 12 && _one(3)) _contestRoot();
        else if (kind == 13) _resolveRoot();
        else if (kind == 14 && _one(5)) _disableSomeRoot();
        else if (kind < 18) _claimReward();
        else if (kind == 18) _withdrawSomeCredit();
        else _setSomeWallet();
    }

    function _anyEra() private returns (uint32) {
        uint32 current = rewardOracle.currentEra();
        if (_closedNext != 0 && _one(3)) return uint32(_closedNext - 1);
        uint32 back = uint32(_one(6) ? _draw(12) : 2);
        return current + 1 > back ? current + 1 - back : 0;
    }

    function _isActiveRoot(uint32 era) private view returns (bool) {
        RootBook storage book = _roots[era];
        return book.state == RootState.Pending && block.timestamp >= book.activeAt;
    }

    // ---- funds, feeds, eras

    function _fundRewards() private {
        if (_one(4)) {
            uint256 gift = _draw(100 ether);
            rewardToken.mint(address(rewarder), gift);
            _rewardsDonated += gift;
            return;
        }
        address from = _anyone();
        uint256 amount = _one(8) ? 0 : _draw(60_000 ether);
        rewardToken.mint(from, amount);
        _refuse(amount == 0, IRewarder.InvalidAmount.selector);
        (bool done,) = _call(from, address(rewarder), abi.encodeCall(IRewarder.fund, (amount)));
        if (done) _funded += amount;
    }

    /// Answers in bounds, and each kind that must change nothing.
    function _feed() private {
        uint256 kind = _draw(12);
        _nativeUpdatedAt = block.timestamp;
        nativeFeed.setAnswer(int256(3000e8 + _draw(1e8)));
        _feedUpdatedAt = block.timestamp;
        _feedRefusal = 0;
        if (kind < 8) return rewardFeed.setAnswer(int256(1_000_000 + _draw(9_000_000)));
        _feedRefusal = IRewardOracle.PriceOutOfBounds.selector;
        if (kind == 8) return rewardFeed.setAnswer(-int256(_draw(100)));
        if (kind == 9) return rewardFeed.setAnswer(1);
        if (kind == 10) return rewardFeed.setAnswer(1e18);
        _feedRefusal = IRewardOracle.PriceStale.selector;
        rewardFeed.setRound(5_000_000, block.timestamp, 0, type(uint80).max);
    }

    function _closeSomeEra() private {
        if (block.timestamp - _feedUpdatedAt > 2 days && !_one(4)) return _feed();
        uint32 era = _anyEra();
        (uint40 zero, uint32 length) = rewardOracle.eraTerms();
        _refuse(block.timestamp < zero + (uint256(era) + 1) * length, IRewarder.EraNotOver.selector);
        _refuse(era < _closedNext, IRewarder.EraAlreadyClosed.selector);
        _refuse(_feedRefusal != 0, _feedRefusal);
        bool stale = block.timestamp - _feedUpdatedAt > 2 days || block.timestamp - _nativeUpdatedAt > 2 days;
        _refuse(stale, IRewardOracle.PriceStale.selector);
        bool priced = _feedRefusal == 0 && !stale;
        (bool done,) = _call(_anyone(), address(rewarder), abi.encodeCall(IRewarder.closeEra, (era)));
        _require(!done || priced, "S19 a wrong price closes no era", era, _feedUpdatedAt);
        if (done) (_closedNext, _closed[era]) = (uint40(era) + 1, true);
    }

    function _postSomeResult() private {
        uint32 era = _anyEra();
        uint24 providerId = _anyProvider();
        ProviderWord word = ProviderWord.wrap(uint256(providerRegistry.providerWord(providerId)));
        uint256 reputation = word.reputationBps() == 0x3fff ? 5000 : word.reputationBps();
        EraResult[] memory results = new EraResult[](1);
        results[0] = EraResult({
            providerId: providerId,
            gpuPassedBps: uint16(_one(4) ? 0x3fff : _draw(10_100)),
            cpuPassedBps: uint16(_draw(10_000)),
            reputationBps: uint16(_draw(10_001)),
            idleSeconds: uint32(_draw(86_401)),
            voided: _one(8)
        });
        // Mostly within the step.
        uint256 wanted = reputation + _draw(2001);
        if (!_one(6)) results[0].reputationBps = uint16(wanted > 1000 ? wanted - 1000 : 0);
        EraResult memory result = results[0];
        uint256 moved = result.reputationBps > reputation ? result.reputationBps - reputation : reputation - result.reputationBps;
        (uint40 zero, uint32 length) = rewardOracle.eraTerms();
        uint256 end = zero + (uint256(era) + 1) * length;
        _refuse(block.timestamp < end, IRewardOracle.EraNotClosed.selector);
        _refuse(block.timestamp >= end + 8 * length, IRewardOracle.EraTooOld.selector);
        _refuse(result.gpuPassedBps > 10_000 && result.gpuPassedBps != 0x3fff, IRewardOracle.ResultInvalid.selector);
        _refuse(result.reputationBps > 10_000 || moved > 1000, IRewardOracle.ResultInvalid.selector);
        _refuse(_posted[era][providerId], IRewardOracle.ResultAlreadyPosted.selector);
        _refuse(providerBooks[providerId].status == ProviderStatus.Unregistered, IRewardOracle.ProviderNotFound.selector);
        (bool done,) = _call(address(this), address(rewardOracle), abi.encodeCall(IRewardOracle.postResults, (era, results)));
        if (!done) return;
        _posted[era][providerId] = true;
        ProviderWord later = ProviderWord.wrap(uint256(providerRegistry.providerWord(providerId)));
        uint256 step = later.reputationBps() > reputation ? later.reputationBps() - reputation : reputation - later.reputationBps();
        _require(step <= 1000 && later.uptimeBps() <= 10_000, "S19 results move a score within bounds", providerId, step);
    }

    // ---- roots

    function _leaf(uint256 index, uint256 cumulative) private view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(block.chainid, address(rewarder), _earners[index], cumulative))));
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }

    function _rootOf(uint256[4] memory cumulative) private view returns (bytes32) {
        return _pair(_pair(_leaf(0, cumulative[0]), _leaf(1, cumulative[1])), _pair(_leaf(2, cumulative[2]), _leaf(3, cumulative[3])));
    }

    function _proposeSomeRoot() private {
        uint32 era = _anyEra();
        uint256[4] memory cumulative;
        uint256 before;
        if (_rootNext != 0) (cumulative, before) = (_roots[uint32(_rootNext - 1)].cumulative, _roots[uint32(_rootNext - 1)].total);
        uint256 total;
        for (uint256 i; i < 4; ++i) {
            cumulative[i] += _draw(_one(16) ? 400_000 ether : 10_000 ether);
            total += cumulative[i];
        }
        // A root may say less than its leaves add up to; then it pays until that is used up.
        if (_one(16)) total = before + (total - before) / 2;
        if (_one(24) && before != 0) total = before - 1;
        if (_one(4)) total = _funded + 1;
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        _refuse(!_closed[era], IRewarder.EraNotClosed.selector);
        if (_rootNext != 0) {
            _refuse(era <= _rootNext - 1, IRewarder.RootNotNewer.selector);
            _refuse(!_isActiveRoot(uint32(_rootNext - 1)), IRewarder.RootPending.selector);
        }
        _refuse(total < before, IRewarder.TotalDecreased.selector);
        _refuse(total > _funded, IRewarder.NotFunded.selector);
        _refuse(total > before && total - before > MOST_PER_ERA, IRewarder.EraCapExceeded.selector);
        bytes memory data = abi.encodeCall(IRewarder.proposeRoot, (era, _rootOf(cumulative), total, keccak256("list"), "https://list"));
        (bool done,) = _call(address(this), address(rewarder), data);
        if (!done) return;
        RootBook storage book = _roots[era];
        (book.state, book.activeAt, book.previousNext) = (RootState.Pending, uint40(block.timestamp) + ACTIVATION, _rootNext);
        (book.total, book.cumulative) = (total, cumulative);
        _rootNext = uint40(era) + 1;
    }

    function _someRootEra() private returns (uint32) {
        return _rootNext != 0 && !_one(6) ? uint32(_rootNext - 1) : _anyEra();
    }

    function _expectPendingRoot(uint32 era) private returns (RootBook storage book) {
        book = _roots[era];
        _refuse(book.state != RootState.Pending, IRewarder.RootStateInvalid.selector);
        _refuse(_isActiveRoot(era), IRewarder.RootActive.selector);
    }

    function _contestRoot() private {
        uint32 era = _someRootEra();
        address challenger = _anyone();
        rewardToken.mint(challenger, BOND);
        RootBook storage book = _expectPendingRoot(era);
        (bool done,) = _call(challenger, address(rewarder), abi.encodeCall(IRewarder.contest, (era, "https://why")));
        if (!done) return;
        (book.state, book.challenger, book.bond) = (RootState.Contested, challenger, BOND);
        _bondsHeld += BOND;
    }

    function _resolveRoot() private {
        uint32 era = _someRootEra();
        bool upheld = _one(2);
        RootBook storage book = _roots[era];
        _refuse(book.state != RootState.Contested, IRewarder.RootStateInvalid.selector);
        (bool done,) = _call(address(this), address(rewarder), abi.encodeCall(IRewarder.resolve, (era, upheld)));
        if (!done) return;
        _creditOf[upheld ? book.challenger : treasury] += book.bond;
        _bondsHeld -= book.bond;
        _creditsHeld += book.bond;
        book.bond = 0;
        if (upheld) _disableBook(era);
        else (book.state, book.activeAt) = (RootState.Pending, uint40(block.timestamp) + ACTIVATION);
    }

    function _disableBook(uint32 era) private {
        _roots[era].state = RootState.Disabled;
        _rootNext = _roots[era].previousNext;
    }

    function _disableSomeRoot() private {
        uint32 era = _someRootEra();
        _expectPendingRoot(era);
        (bool done,) = _call(address(this), address(rewarder), abi.encodeCall(IRewarder.disableRoot, (era)));
        if (done) _disableBook(era);
    }

    // ---- earners

    function _claimReward() private {
        uint256 index = _draw(4);
        address earner = _earners[index];
        uint40 next = _rootNext;
        if (next != 0 && !_isActiveRoot(uint32(next - 1))) next = _roots[uint32(next - 1)].previousNext;
        RootBook storage book = _roots[next == 0 ? 0 : uint32(next - 1)];
        uint256[4] memory cumulative = book.cumulative;
        uint256 asked = cumulative[index] + (_one(12) ? 1 : 0);
        bytes32[] memory proof = new bytes32[](2);
        proof[0] = _leaf(index ^ 1, cumulative[index ^ 1]);
        proof[1] =
            index < 2 ? _pair(_leaf(2, cumulative[2]), _leaf(3, cumulative[3])) : _pair(_leaf(0, cumulative[0]), _leaf(1, cumulative[1]));
        uint256 due = asked > _claimedOf[earner] ? asked - _claimedOf[earner] : 0;
        _refuse(next == 0, IRewarder.NoActiveRoot.selector);
        _refuse(next != 0 && next <= forfeitedNext[earner], IRewarder.EarnerForfeited.selector);
        _refuse(asked != cumulative[index], IRewarder.InvalidProof.selector);
        _refuse(due == 0, IRewarder.NothingToClaim.selector);
        _refuse(_claimed + due > book.total, IRewarder.NotFunded.selector);
        address wallet = _walletOf[earner] == address(0) ? earner : _walletOf[earner];
        uint256 before = rewardToken.balanceOf(wallet);
        (bool done,) = _call(_anyone(), address(rewarder), abi.encodeCall(IRewarder.claim, (earner, asked, proof)));
        if (!done) return;
        _require(rewardToken.balanceOf(wallet) - before == due, "S18 rewards once: cumulative minus claimed", index, due);
        _claimedOf[earner] = asked;
        _claimed += due;
    }

    function _withdrawSomeCredit() private {
        address account = _one(3) ? treasury : _anyone();
        uint256 amount = _creditOf[account];
        _refuse(amount == 0, IRewarder.InvalidAmount.selector);
        (bool done,) = _call(account, address(rewarder), abi.encodeCall(IRewarder.withdrawCredit, ()));
        if (!done) return;
        _creditsHeld -= amount;
        _creditOf[account] = 0;
    }

    function _setSomeWallet() private {
        address earner = _earners[_draw(4)];
        address wallet = _one(3) ? address(0) : makeAddr("reward wallet");
        (bool done,) = _call(earner, address(rewarder), abi.encodeCall(IRewarder.setRewardWallet, (wallet)));
        if (done) _walletOf[earner] = wallet;
    }

    /// Funded, claimed, bonds and credits are what the model says, and the contract holds exactly that and the gifts.
    function _checkRewards() internal {
        _require(rewarder.totalFunded() == _funded, "S18 funded", 0, _funded);
        _require(rewarder.totalClaimed() == _claimed && _claimed <= _funded, "S18 claimed is at most what was funded", 0, _claimed);
        uint256 owed = _funded - _claimed + _bondsHeld + _creditsHeld;
        _require(rewarder.liabilities() == owed, "S13 rewards owed", 0, owed);
        _require(rewardToken.balanceOf(address(rewarder)) == owed + _rewardsDonated, "S13 rewards held", 0, owed);
        for (uint256 i; i < 4; ++i) {
            _require(rewarder.claimedOf(_earners[i]) == _claimedOf[_earners[i]], "S18 claimed by each earner", i, _claimedOf[_earners[i]]);
        }
        _require(rewarder.creditOf(treasury) == _creditOf[treasury], "S13 credit of the treasury", 0, _creditOf[treasury]);
    }
}
