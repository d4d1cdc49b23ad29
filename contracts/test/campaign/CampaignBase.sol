// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { console2 } from "forge-std/console2.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { LeaseEnd, LeaseTerms } from "../../src/market/IComputeLease.sol";
import { OrderSpec, Policy } from "../../src/market/MarketTypes.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { MarketBase } from "../MarketBase.t.sol";
import { TestToken } from "../market/TestToken.sol";
import { HostileToken } from "./HostileToken.sol";
import { noPacking } from "../rules/NoPacking.sol";

/// @notice What the model knows of an order: written from the rules, never read back from the contracts.
struct Deal {
    address tenant;
    uint16 tokenId;
    // Escrow.
    address sponsor;
    uint96 locked;
    /// The sponsor's part that is not spent.
    uint96 sponsored;
    uint96 spent;
    /// G paid so far.
    uint96 paid;
    uint16 userFeeBps;
    uint16 providerFeeBps;
    uint16 foundationFeeBps;
    // Order.
    uint40 maxPrice;
    uint24 durationMinutes;
    uint32 expiresAt;
    uint32 eligibleFromBlock;
    /// All ones for an order that nobody ended.
    uint32 untilRound;
    Phase phase;
    // Lease.
    uint32 machineId;
    uint24 providerId;
    uint40 price;
    bool fromBid;
    uint32 matchedAt;
    uint32 readyAt;
    uint32 announcedAt;
    uint32 confirmedAt;
    uint32 paidThrough;
    /// The price of now began here; earlier ones earned `earnedBefore`.
    uint32 pricedFrom;
    uint96 earnedBefore;
    bytes32 manifestHash;
    LeaseTerms terms;
    /// Hash of the tenant's request for an update, 0 for none.
    bytes32 updateHash;
    LeaseEnd end;
}

enum Phase {
    None,
    Open,
    Leased,
    Over
}

/// @notice What rounds from `fromRound` on are matched by.
struct Period {
    uint32 fromRound;
    Policy policy;
    PackingTerms packing;
}

/// @notice The ground of the economy campaign: actors, tokens, random choices, the model's books, and the one way a call is made: with
/// every reason known beforehand for which it must be refused, and none if it must succeed.
abstract contract CampaignBase is MarketBase {
    /// Gas that no call of an actor may need, for any state this campaign reaches: caps of lists, bids and accounts included.
    uint256 internal constant MOST_GAS_OF_A_CALL = 1_200_000;
    /// The same for a settlement of as many records as there are live orders.
    uint256 internal constant MOST_GAS_OF_A_SETTLEMENT = 3_000_000;

    uint16 internal constant NATIVE = 2;
    uint16 internal constant TOKENS = 4;
    uint256 internal constant TENANTS = 3;
    uint256 internal constant OWNERS = 4;
    uint32 internal constant NO_ROUND = type(uint32).max;

    uint256 private _random;
    /// Selectors of the errors the next call may be refused with, newest lowest; 0 when it must succeed.
    uint256 private _refusals;
    /// Whose balance the next call may lower besides its caller's.
    address internal excused;

    uint256 public calls;
    uint256 public violations;
    uint256 public surprises;
    /// By invariant, named by the first characters of a check: how often it was checked, how often it did not hold.
    mapping(bytes3 invariant => uint256) public checked;
    mapping(bytes3 invariant => uint256) public broken;
    /// How often each kind of call has succeeded.
    mapping(bytes4 selector => uint256) public succeeded;

    uint256[] internal tenantKeys;
    address[] internal tenants;
    address[] internal owners;
    address[] internal delegators;
    address[] internal auditors;
    address internal sponsor = makeAddr("sponsor");
    address internal stranger = makeAddr("stranger");
    address internal otherTreasury = makeAddr("other treasury");
    /// Everybody who can own something.
    address[] internal accounts;

    HostileToken internal hostileA;
    HostileToken internal hostileB;
    TestToken internal nativeToken;

    // ---- the model's books

    /// The two periods that the schedule keeps.
    Period internal newestPeriod;
    Period internal previousPeriod;
    /// Every policy that was scheduled.
    mapping(bytes32 policyHash => Policy) internal policies;

    mapping(uint16 tokenId => mapping(address account => uint256)) internal owned;
    mapping(uint16 tokenId => mapping(address account => mapping(address by => uint256))) internal sponsoredOwned;
    mapping(uint16 tokenId => mapping(address account => uint256)) internal bonded;
    mapping(uint16 tokenId => uint256) internal donated;
    mapping(address account => address) internal sponsorOf;
    mapping(uint32 orderId => Deal) internal deals;
    mapping(uint32 orderId => OrderSpec) internal specs;
    /// Orders that are open or leased.
    uint32[] internal live;
    uint32 internal orders;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i; i < TENANTS; ++i) {
            tenantKeys.push(uint256(keccak256(abi.encode("tenant", i))));
            tenants.push(vm.addr(tenantKeys[i]));
            accounts.push(tenants[i]);
        }
        for (uint256 i; i < OWNERS; ++i) {
            owners.push(makeAddr(string.concat("owner ", vm.toString(i))));
            accounts.push(owners[i]);
        }
        delegators = [makeAddr("delegator 0"), makeAddr("delegator 1")];
        auditors = [makeAddr("auditor 0"), makeAddr("auditor 1"), makeAddr("auditor 2")];
        accounts.push(delegators[0]);
        accounts.push(delegators[1]);
        accounts.push(sponsor);
        accounts.push(stranger);
        accounts.push(treasury);
        accounts.push(otherTreasury);
        accounts.push(foundation);
        _makeTokens();
        _schedulePolicy();
    }

    function _makeTokens() private {
        nativeToken = new TestToken("GLM", 18);
        hostileA = new HostileToken("BAD", 6);
        hostileB = new HostileToken("WORSE", 18);
        tokenRegistry.approveToken(address(nativeToken), 10);
        tokenRegistry.approveToken(address(hostileA), 0);
        tokenRegistry.approveToken(address(hostileB), 1000);
        hostileA.aim(escrow, 3);
        hostileB.aim(escrow, 4);
        // What the tokens could take a second time.
        hostileA.mint(address(hostileA), 100);
        hostileB.mint(address(hostileB), 10_000);
        vm.prank(address(hostileA));
        escrow.deposit(3, 50);
        vm.prank(address(hostileB));
        escrow.deposit(4, 5000);
        accounts.push(address(hostileA));
        accounts.push(address(hostileB));
        owned[3][address(hostileA)] = 50;
        owned[4][address(hostileB)] = 5000;
        for (uint256 i; i < accounts.length; ++i) {
            vm.startPrank(accounts[i]);
            usd.approve(address(escrow), type(uint256).max);
            nativeToken.approve(address(escrow), type(uint256).max);
            stakeToken.approve(address(stakingManager), type(uint256).max);
            rewardToken.approve(address(rewarder), type(uint256).max);
            vm.stopPrank();
        }
        for (uint256 i; i < auditors.length; ++i) {
            vm.prank(auditors[i]);
            stakeToken.approve(address(complianceRegistry), type(uint256).max);
        }
    }

    /// Short cool-down and self-match times, so that both are reached within an episode.
    function _schedulePolicy() private {
        Policy memory policy = _defaultPolicy();
        _bookPeriod(1, policy, noPacking());
        policy.coolRounds = 2;
        policy.selfMatchRounds = 4;
        policy.maxTableAgeSeconds = 30 days;
        // The first period must have begun before another is scheduled.
        _enterRound(1, 1);
        uint32 from = matchPolicy.fromRoundNow() + 2;
        matchPolicy.schedule(from, uint16(ROUND_LENGTH), policy, noPacking());
        _bookPeriod(from, policy, noPacking());
        // So many rounds back that a self-match finds all it asks about.
        _enterRound(from + 5, 1);
    }

    function _bookPeriod(uint32 fromRound, Policy memory policy, PackingTerms memory packing) internal {
        previousPeriod = newestPeriod;
        newestPeriod = Period(fromRound, policy, packing);
        policies[PolicyHash.ofMemory(policy)] = policy;
    }

    /// The period of a round that the schedule still knows.
    function _periodOf(uint32 round) internal view returns (Period storage) {
        return round < newestPeriod.fromRound ? previousPeriod : newestPeriod;
    }

    // ---- chance

    function _seed(uint256 seed) internal {
        _random = uint256(keccak256(abi.encode("economy campaign", seed)));
    }

    /// A number below `below`.
    function _draw(uint256 below) internal returns (uint256) {
        uint256 next = _random;
        assembly ("memory-safe") {
            mstore(0, next)
            next := keccak256(0, 0x20)
        }
        _random = next;
        return (next >> 8) % below;
    }

    function _one(uint256 chances) internal returns (bool) {
        return _draw(chances) == 0;
    }

    function _anyone() internal returns (address) {
        return accounts[_draw(accounts.length)];
    }

    function _anyToken() internal returns (uint16) {
        return uint16(1 + _draw(TOKENS));
    }

    /// An order of the model: mostly a live one, sometimes one that is over or does not exist.
    function _anyOrder() internal returns (uint32) {
        if (live.length != 0 && !_one(16)) return live[_draw(live.length)];
        return uint32(_draw(uint256(orders) + 2));
    }

    // ---- calls

    /// The next call must be refused with `selector` (or another of its refusals) if `reason` holds.
    function _refuse(bool reason, bytes4 selector) internal {
        if (reason) _refusals = (_refusals << 32) | uint32(selector);
    }

    /// Forgets what was expected of a call that is not made after all.
    function _discard() internal {
        _refusals = 0;
    }

    function _mustSucceed() internal view returns (bool) {
        return _refusals == 0;
    }

    /// Calls as `actor`; counts a violation of what the model expected.
    function _call(address actor, address target, bytes memory data) internal returns (bool done, bytes memory result) {
        uint256 refusals = _refusals;
        _refusals = 0;
        (address bystander, uint16 tokenId) = (_anyone(), _anyToken());
        uint256 before = escrow.balanceOf(bystander, tokenId);
        uint256 gasBefore = gasleft();
        vm.prank(actor);
        (done, result) = target.call(data);
        uint256 spent = gasBefore - gasleft();
        ++calls;
        bytes4 selector = bytes4(data);
        if (done) ++succeeded[selector];
        if (done != (refusals == 0)) _surprise(actor, target, data, done, result, refusals);
        else if (!done && !_contains(refusals, bytes4(result))) _surprise(actor, target, data, done, result, refusals);
        uint256 most = target == address(settlement) ? MOST_GAS_OF_A_SETTLEMENT : MOST_GAS_OF_A_CALL;
        _require(spent <= most, "S24 bounded work", uint32(selector), spent);
        if (bystander != actor && bystander != excused) {
            bool kept = escrow.balanceOf(bystander, tokenId) >= before;
            _require(kept, "S21 no call takes from a bystander", uint32(selector), uint160(bystander));
        }
        excused = address(0);
    }

    function _contains(uint256 refusals, bytes4 selector) private pure returns (bool) {
        for (; refusals != 0; refusals >>= 32) {
            if (uint32(refusals) == uint32(selector)) return true;
        }
        return false;
    }

    function _surprise(address actor, address target, bytes memory data, bool done, bytes memory result, uint256 refusals) private {
        ++surprises;
        console2.log(done ? "UNEXPECTED success at call" : "UNEXPECTED revert at call", calls);
        console2.log("  actor", vm.getLabel(actor), "target", vm.getLabel(target));
        console2.logBytes(data);
        console2.logBytes(result);
        console2.log("  refusals expected");
        console2.logBytes32(bytes32(refusals));
    }

    /// An invariant does not hold.
    function _violated(string memory what, uint256 where, uint256 value) internal {
        ++violations;
        ++broken[bytes3(bytes(what))];
        console2.log(string.concat("VIOLATION ", what), where, value, calls);
    }

    function _require(bool holds, string memory what, uint256 where, uint256 value) internal {
        ++checked[bytes3(bytes(what))];
        if (!holds) _violated(what, where, value);
    }

    // ---- the tenant's calls, directly or by signature

    /// `data` is the market call; a twin of static arguments is the same arguments under another selector, and the authorization.
    function _asTenant(uint256 index, address target, bytes memory data, bytes4 twin, bytes32 typeHash)
        internal
        returns (bool done, bytes memory result)
    {
        if (!_one(4)) return _call(tenants[index], target, data);
        bytes memory arguments = _arguments(data);
        (bytes memory tail, bytes4 refusal) = _authorization(index, bytes.concat(typeHash, arguments));
        _refuse(refusal != 0, refusal);
        excused = tenants[index];
        (done, result) = _call(stranger, address(signedCalls), bytes.concat(twin, arguments, bytes32(arguments.length + 32), tail));
        _require(!done || refusal == 0, "S12 a signature opens one call, once, here", uint32(twin), uint32(refusal));
    }

    /// The encoded authorization for a struct that begins with `head`, now and then a wrong one, and what it is then refused with.
    function _authorization(uint256 index, bytes memory head) internal returns (bytes memory tail, bytes4 refusal) {
        address account = tenants[index];
        uint256 nonce = signedCalls.nonces(account, uint192(_draw(3)));
        uint256 deadline = block.timestamp + _draw(2);
        uint256 fault = _draw(30);
        uint256 key = tenantKeys[fault == 0 ? (index + 1) % TENANTS : index];
        if (fault == 0) refusal = ISignedCalls.InvalidSignature.selector;
        if (fault == 1) (deadline, refusal) = (block.timestamp - 1, ISignedCalls.SignatureExpired.selector);
        if (fault == 2) (nonce, refusal) = (nonce + 1, bytes4(keccak256("InvalidAccountNonce(address,uint256)")));
        // For another chain, and for another contract.
        if (fault == 3 || fault == 4) refusal = ISignedCalls.InvalidSignature.selector;
        bytes32 domain = _domain(fault == 3 ? block.chainid + 1 : block.chainid, fault == 4 ? address(escrow) : address(signedCalls));
        bytes32 structHash = keccak256(bytes.concat(head, abi.encode(account, nonce, deadline)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        bytes memory signature = abi.encodePacked(r, s, v);
        return (abi.encode(account, nonce, deadline, uint256(128), signature.length, r, s, bytes32(bytes1(v))), refusal);
    }

    function _domain(uint256 chainId, address verifyingContract) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Matchmaker"),
                keccak256("1"),
                chainId,
                verifyingContract
            )
        );
    }

    function _arguments(bytes memory data) private pure returns (bytes memory arguments) {
        arguments = new bytes(data.length - 4);
        for (uint256 i; i < arguments.length; i += 32) {
            assembly ("memory-safe") {
                mstore(add(add(arguments, 32), i), mload(add(add(data, 36), i)))
            }
        }
    }

    // ---- books

    function _isPaused() internal view returns (bool) {
        return block.timestamp < marketPause.pausedUntil();
    }

    function _forgetOrder(uint32 orderId) internal {
        deals[orderId].phase = Phase.Over;
        for (uint256 i; i < live.length; ++i) {
            if (live[i] != orderId) continue;
            live[i] = live[live.length - 1];
            live.pop();
            return;
        }
    }

    function _scale(uint16 tokenId) internal pure returns (uint256) {
        return tokenId == USD || tokenId == 3 ? 1 : 1e12;
    }

    function _mint(uint16 tokenId, address account, uint256 amount) internal {
        if (tokenId == USD) usd.mint(account, amount);
        else if (tokenId == NATIVE) nativeToken.mint(account, amount);
        else _hostile(tokenId).mint(account, amount);
    }

    function _hostile(uint16 tokenId) internal view returns (HostileToken) {
        return tokenId == 3 ? hostileA : hostileB;
    }

    function _tokenBalance(uint16 tokenId, address account) internal view returns (uint256) {
        if (tokenId == USD) return usd.balanceOf(account);
        if (tokenId == NATIVE) return nativeToken.balanceOf(account);
        return _hostile(tokenId).balanceOf(account);
    }
}
