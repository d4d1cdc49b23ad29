// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { MarketPause } from "../../src/governance/MarketPause.sol";
import { Bid } from "../../src/market/Bid.sol";
import { ComplianceRegistry } from "../../src/market/ComplianceRegistry.sol";
import { ComputeLease } from "../../src/market/ComputeLease.sol";
import { Escrow } from "../../src/market/Escrow.sol";
import { BidTerms, IBid } from "../../src/market/IBid.sol";
import { IComputeLease, LeaseTerms } from "../../src/market/IComputeLease.sol";
import { FeeTerms, IEscrow } from "../../src/market/IEscrow.sol";
import { IMatchPolicy } from "../../src/market/IMatchPolicy.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { IStakingManager, StakeTerms } from "../../src/market/IStakingManager.sol";
import { ITokenRegistry } from "../../src/market/ITokenRegistry.sol";
import { Policy } from "../../src/market/MarketTypes.sol";
import { SignedCalls } from "../../src/market/SignedCalls.sol";
import { StakingManager } from "../../src/market/StakingManager.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { Rewarder } from "../../src/rewards/Rewarder.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { RoundSteps } from "./RoundSteps.sol";

/// @notice The escrow's next version: the same layout, and a namespace of its own behind it.
contract EscrowNext is Escrow {
    /// @custom:storage-location erc7201:matchmaker.storage.EscrowNext
    struct LayoutNext {
        uint256 generation;
    }

    bytes32 private constant NEXT_SLOT =
        keccak256(abi.encode(uint256(keccak256("matchmaker.storage.EscrowNext")) - 1)) & ~bytes32(uint256(0xff));

    constructor(MarketContracts memory market) Escrow(market) { }

    function count() external reinitializer(2) {
        bytes32 slot = NEXT_SLOT;
        LayoutNext storage state;
        assembly ("memory-safe") {
            state.slot := slot
        }
        ++state.generation;
    }
}

/// @notice Governance: terms, tokens, treasuries, pauses and upgrades, and those who try without a role.
abstract contract GovernorSteps is RoundSteps {
    uint40 private _pausedUntil;
    address[] private _proxies;
    address[] private _implementations;

    function setUp() public virtual override {
        super.setUp();
        _addUpgrade(address(escrow), address(new EscrowNext(market)));
        _addUpgrade(address(escrow), address(new Escrow(market)));
        _addUpgrade(address(computeLease), address(new ComputeLease(market)));
        _addUpgrade(address(bid), address(new Bid(market, false)));
        _addUpgrade(address(stakingManager), address(new StakingManager(market, address(stakeToken))));
        _addUpgrade(address(complianceRegistry), address(new ComplianceRegistry(market, address(stakeToken))));
        _addUpgrade(address(rewarder), address(new Rewarder(market, address(rewardToken))));
        _addUpgrade(address(signedCalls), address(new SignedCalls(market)));
        _addUpgrade(address(tokenRegistry), address(new TokenRegistry()));
        _addUpgrade(address(marketPause), address(new MarketPause()));
    }

    function _addUpgrade(address proxy, address implementation) private {
        _proxies.push(proxy);
        _implementations.push(implementation);
    }

    /// Governance changes the rules of matching from now on. Without it an episode's calls are those of before there were two versions.
    function letRulesChange() external {
        rulesChange = true;
    }

    function _governorStep() internal {
        if (rulesChange && _one(3)) return _changeRules();
        uint256 kind = _draw(16);
        if (kind < 3) _changeFees();
        else if (kind == 3) _changeLeaseTerms();
        else if (kind == 4) _changeBidTerms();
        else if (kind == 5) _changeStakeTerms();
        else if (kind == 6) _changeBidWindow();
        else if (kind < 10) _pauseOrResume();
        else if (kind < 13) _changeToken();
        else if (kind < 15) _upgrade();
        else _changeTreasury();
    }

    /// Mostly the governor; sometimes somebody without the role.
    function _governor() private returns (address caller) {
        caller = _one(10) ? _anyone() : address(this);
        _refuse(caller != address(this), IAccessManaged.AccessManagedUnauthorized.selector);
    }

    function _changeFees() private {
        FeeTerms memory terms = FeeTerms({
            userFeeBps: uint16(_draw(1010)),
            providerFeeBps: uint16(_draw(1010)),
            foundationFeeBps: uint16(_draw(5010)),
            nativeTokenId: uint16(_one(2) ? NATIVE : 0),
            treasury: _one(2) ? treasury : otherTreasury,
            foundation: foundation
        });
        address caller = _governor();
        bool valid = terms.userFeeBps <= 1000 && terms.providerFeeBps <= 1000 && terms.foundationFeeBps <= 5000;
        _refuse(!valid, IEscrow.FeeTermsInvalid.selector);
        (bool done,) = _call(caller, address(escrow), abi.encodeCall(IEscrow.setFeeTerms, (terms)));
        if (!done) return;
        (userFeeBps, providerFeeBps, foundationFeeBps) = (terms.userFeeBps, terms.providerFeeBps, terms.foundationFeeBps);
        (nativeTokenId, feeTreasury) = (terms.nativeTokenId, terms.treasury);
    }

    function _changeLeaseTerms() private {
        LeaseTerms memory terms = LeaseTerms({
            readySeconds: uint32(60 + _draw(1200)),
            manifestSeconds: uint32(_draw(900)),
            confirmSeconds: uint32(60 + _draw(1200)),
            minimumChargeSeconds: uint32(_draw(900))
        });
        address caller = _governor();
        _refuse(terms.manifestSeconds == 0, IComputeLease.LeaseFieldInvalid.selector);
        (bool done,) = _call(caller, address(computeLease), abi.encodeCall(IComputeLease.setLeaseTerms, (terms)));
        if (!done) return;
        termsFrom.push(uint32(block.timestamp) + 1);
        termsOf.push(terms);
    }

    function _changeBidTerms() private {
        BidTerms memory terms = BidTerms({
            maxBidsPerOrder: uint8(_one(2) ? 2 + _draw(3) : _draw(210)),
            maxBidsPerProvider: uint16(_draw(12)),
            bondMicro: uint40(_draw(3_000_000))
        });
        address caller = _governor();
        _refuse(terms.maxBidsPerOrder > 200 || terms.maxBidsPerProvider == 0, IBid.BidTermsInvalid.selector);
        (bool done,) = _call(caller, address(bid), abi.encodeCall(IBid.setBidTerms, (terms)));
        if (!done) return;
        (maxBidsPerOrder, maxBidsPerProvider, bondMicro) = (terms.maxBidsPerOrder, terms.maxBidsPerProvider, terms.bondMicro);
    }

    function _changeStakeTerms() private {
        StakeTerms memory terms = _stakeTerms();
        terms.wholePerDevice = uint32(50 + _draw(100));
        terms.wholePerCore = uint32(_draw(3));
        terms.wholeMinimumPerMachine = uint32(_draw(20));
        terms.wholeMinimumPerProvider = uint32(_draw(400));
        terms.unbondingSeconds = uint32(_one(8) ? 0 : 1 days + _draw(20 days));
        address caller = _governor();
        _refuse(terms.unbondingSeconds == 0, IStakingManager.StakeTermsInvalid.selector);
        (bool done,) = _call(caller, address(stakingManager), abi.encodeCall(IStakingManager.setStakeTerms, (terms)));
        if (!done) return;
        (wholePerDevice, wholePerCore, wholePerMachine) = (terms.wholePerDevice, terms.wholePerCore, terms.wholeMinimumPerMachine);
        (minimumWhole, unbondingSeconds) = (terms.wholeMinimumPerProvider, terms.unbondingSeconds);
    }

    function _changeBidWindow() private {
        uint32 blocks = uint32(_draw(9));
        address caller = _governor();
        (bool done,) = _call(caller, address(orderRequest), abi.encodeCall(IOrderRequest.setBidWindowBlocks, (blocks)));
        if (done) bidWindow = blocks;
    }

    /// A pause is short of what the cool-down after it lets pass, so that most of an episode runs.
    function _pauseOrResume() private {
        bool done;
        address caller = _governor();
        if (_isPaused() ? !_one(4) : _one(8)) {
            _refuse(block.timestamp >= _pausedUntil, IMarketPause.NotPaused.selector);
            (done,) = _call(caller, address(marketPause), abi.encodeCall(IMarketPause.unpause, ()));
            if (done) _pausedUntil = uint40(block.timestamp);
            return;
        }
        uint32 duration = uint32(_one(6) ? 4 days : _draw(1 hours));
        _refuse(duration == 0 || duration > 3 days, IMarketPause.PauseTooLong.selector);
        _refuse(_pausedUntil != 0 && block.timestamp < _pausedUntil + 7 days, IMarketPause.PauseCoolingDown.selector);
        (done,) = _call(caller, address(marketPause), abi.encodeCall(IMarketPause.pause, (duration)));
        if (done) _pausedUntil = uint40(block.timestamp) + duration;
    }

    function _changeToken() private {
        uint16 tokenId = uint16(_draw(TOKENS + 2));
        for (uint16 i = 1; i <= TOKENS && !_one(4); ++i) {
            if (!tokenRegistry.isApproved(i)) tokenId = i;
        }
        bool approved = tokenRegistry.isApproved(tokenId);
        bool known = tokenId != 0 && tokenId <= TOKENS;
        // What is revoked mostly comes back, so that its market goes on.
        bool revokes = approved ? _one(4) : _one(8);
        address caller = _governor();
        _refuse(!known, ITokenRegistry.TokenNotFound.selector);
        _refuse(known && revokes && !approved, ITokenRegistry.TokenNotApproved.selector);
        _refuse(known && !revokes && approved, ITokenRegistry.TokenAlreadyApproved.selector);
        bytes memory data =
            revokes ? abi.encodeCall(ITokenRegistry.revokeToken, (tokenId)) : abi.encodeCall(ITokenRegistry.reinstateToken, (tokenId));
        _call(caller, address(tokenRegistry), data);
    }

    /// The same code again, or the next one: every book is compared with the contracts afterwards as before.
    function _upgrade() private {
        uint256 index = _draw(_proxies.length);
        address caller = _governor();
        bytes memory data = abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (_implementations[index], ""));
        _call(caller, _proxies[index], data);
    }

    function _changeTreasury() private {
        address chosen = _one(2) ? treasury : otherTreasury;
        address caller = _governor();
        (bool done,) = _call(caller, address(stakingManager), abi.encodeCall(IStakingManager.setTreasury, (chosen)));
        if (done) stakeTreasury = chosen;
    }

    /// From a round to come on: rules of either version, mostly the other one than before, in rounds of another length.
    function _changeRules() private {
        uint32 next = matchPolicy.fromRoundNow();
        uint32 fromRound = next + uint32(_one(8) ? _draw(2) : 2 + _draw(3));
        uint16 lengthBlocks = uint16(_one(16) ? 0 : 4 + _draw(9));
        (Policy memory policy, PackingTerms memory packing) = _nextRules();
        bool valid = lengthBlocks != 0;
        if (_one(16)) (policy.weightPackingBps, valid) = (policy.weightPackingBps + 1, false);
        if (_one(16)) (policy.packingHash, valid) = (keccak256(abi.encode(policy.packingHash)), false);
        address caller = _governor();
        _refuse(!valid, IMatchPolicy.PolicyFieldInvalid.selector);
        _refuse(newestPeriod.fromRound >= next, IMatchPolicy.ScheduleChangePending.selector);
        _refuse(fromRound < next + 2, IMatchPolicy.FromRoundTooEarly.selector);
        bytes memory data = abi.encodeCall(IMatchPolicy.schedule, (fromRound, lengthBlocks, policy, packing));
        (bool done,) = _call(caller, address(matchPolicy), data);
        if (done) _bookPeriod(fromRound, policy, packing);
    }

    function _nextRules() private returns (Policy memory policy, PackingTerms memory packing) {
        policy = _defaultPolicy();
        policy.coolRounds = uint32(_draw(4));
        policy.selfMatchRounds = uint32(2 + _draw(4));
        policy.maxTableAgeSeconds = 30 days;
        bool wasFirst = newestPeriod.policy.rulesVersion == 1;
        if (_one(4) ? wasFirst : !wasFirst) return (policy, packing);
        packing = _packingTerms();
        policy.rulesVersion = 2;
        policy.weightPackingBps = uint16(_draw(uint256(policy.weightPriceBps) + 1));
        policy.weightPriceBps -= policy.weightPackingBps;
        policy.packingHash = PolicyHash.ofPacking(packing);
    }

    function _packingTerms() private returns (PackingTerms memory packing) {
        (packing.fromMilli, packing.value) = (new uint16[](3), new uint16[](3));
        for (uint16 i; i < 3; ++i) {
            packing.fromMilli[i] = uint16(1 + 333 * i + _draw(333));
            packing.value[i] = uint16(1 + 333 * i + _draw(333));
        }
        (packing.deviceWeight, packing.cpuWeight, packing.memoryWeight) = (uint16(_draw(65)), uint16(_draw(65)), uint16(_draw(17)));
        (packing.cpuRate, packing.memoryRate) = (uint32(_draw((1 << 14) + 1)), uint32(_draw((1 << 12) + 1)));
        if (_one(2)) return packing;
        (packing.models, packing.modelFactor) = (new uint16[](1), new uint16[](1));
        (packing.models[0], packing.modelFactor[0]) = (uint16(7 + _draw(2)), uint16(1 + _draw(1024)));
    }
}
