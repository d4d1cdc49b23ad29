// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { Nonces } from "@openzeppelin/contracts/utils/Nonces.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { IComputeLease, LeaseUpdate } from "../../src/market/IComputeLease.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { IOrderRequest } from "../../src/market/IOrderRequest.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { OrderSpec } from "../../src/market/MarketTypes.sol";
import { SignedCalls } from "../../src/market/SignedCalls.sol";
import { SignedCallsFixture } from "./SignedCallsFixture.sol";

/// @notice Stands where a market contract does and keeps the exact bytes that arrive, or refuses them.
contract CallRecorder {
    error Refused(uint32 orderId);

    bytes public last;
    address public sender;
    uint256 public calls;
    bool public refusing;

    function refuse() external {
        refusing = true;
    }

    fallback(bytes calldata data) external returns (bytes memory) {
        if (refusing) revert Refused(42);
        last = data;
        sender = msg.sender;
        ++calls;
        return abi.encode(uint32(77));
    }
}

/// @notice A wallet that signs with its owner's key, as long as it wants to.
contract ContractWallet is IERC1271 {
    address private immutable _OWNER;
    bool public locked;

    constructor(address owner) {
        _OWNER = owner;
    }

    function lock() external {
        locked = true;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecover(hash, signature);
        return !locked && problem == ECDSA.RecoverError.NoError && signer == _OWNER ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract SignedCallsTest is SignedCallsFixture {
    uint256 private constant KEY = uint256(keccak256("tenant key"));
    uint256 private constant DEADLINE = 2_000_000_000;

    address private tenant = vm.addr(KEY);
    AccessManager private manager;
    SignedCalls private signedCalls;
    CallRecorder private orders;
    CallRecorder private leases;
    CallRecorder private money;

    function setUp() public {
        vm.warp(1_900_000_000);
        manager = new AccessManager(address(this));
        orders = new CallRecorder();
        leases = new CallRecorder();
        money = new CallRecorder();
        signedCalls = _deploy();
    }

    function _deploy() private returns (SignedCalls) {
        MarketContracts memory market;
        market.orderRequest = address(orders);
        market.computeLease = address(leases);
        market.escrow = address(money);
        return SignedCalls(
            address(new ERC1967Proxy(address(new SignedCalls(market)), abi.encodeCall(SignedCalls.initialize, (address(manager)))))
        );
    }

    // ---- what is signed and what is forwarded

    /// Every call: accepted by the signature over its type as published, forwarded to the byte with the tenant behind it.
    function test_everyCallForwardsExactlyWhatWasSigned() public {
        for (uint256 kind; kind < 12; ++kind) {
            (string memory typeName, bytes memory fields, bytes memory forwarded, CallRecorder target) = _kind(kind, kind << 64);
            bytes memory call = _callOf(kind, _authorization(kind << 64, _signed(typeName, fields)));
            vm.prank(makeAddr("relayer"));
            (bool done, bytes memory result) = address(signedCalls).call(call);
            assertTrue(done, typeName);
            assertEq(target.last(), bytes.concat(forwarded, bytes20(tenant)), typeName);
            assertEq(target.sender(), address(signedCalls));
            if (kind < 2) assertEq(abi.decode(result, (uint32)), 77, "the market's answer comes back");
            else assertEq(result.length, 0);
            assertEq(signedCalls.nonces(tenant, uint192(kind)), (kind << 64) + 1);
        }
        assertEq(orders.calls(), 3);
        assertEq(leases.calls(), 6);
        assertEq(money.calls(), 3);
    }

    /// A signature for one call opens no other call with the same fields.
    function test_aSignatureOfOneTypeOpensNoOther() public {
        for (uint256 kind; kind < 12; ++kind) {
            (string memory typeName, bytes memory fields,,) = _kind(kind, 0);
            bytes memory signature = _signed(typeName, fields);
            for (uint256 other; other < 12; ++other) {
                if (other != kind) _refused(_callOf(other, _authorization(0, signature)));
            }
        }
    }

    function test_everyReplayIsRefused() public {
        for (uint256 kind; kind < 12; ++kind) {
            (string memory typeName, bytes memory fields,,) = _kind(kind, kind << 64);
            bytes memory call = _callOf(kind, _authorization(kind << 64, _signed(typeName, fields)));
            (bool done,) = address(signedCalls).call(call);
            assertTrue(done);
            _reverts(call, abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, tenant, (kind << 64) + 1));
        }
    }

    // ---- each field of each type

    /// 22 fields: the spec's 18, expiresAt, tenant, nonce, deadline.
    function test_createOrderSignsEveryField() public {
        bytes memory signature = _signed(
            string.concat(CREATE_ORDER, SPEC_TYPE), _tuple(abi.encode(_fullSpec(), uint32(1_950_000_000), tenant, uint256(0), DEADLINE))
        );
        for (uint256 i; i < 18; ++i) {
            ISignedCalls.Authorization memory same = _authorization(0, signature);
            _refused(abi.encodeCall(ISignedCalls.createOrder, (_changedSpec(i), 1_950_000_000, same)));
        }
        _refused(abi.encodeCall(ISignedCalls.createOrder, (_fullSpec(), 1_950_000_001, _authorization(0, signature))));
        for (uint256 i; i < 3; ++i) {
            _refused(abi.encodeCall(ISignedCalls.createOrder, (_fullSpec(), 1_950_000_000, _changedAuthorization(i, signature))));
        }
        assertEq(signedCalls.createOrder(_fullSpec(), 1_950_000_000, _authorization(0, signature)), 77);
    }

    function test_replaceOrderSignsEveryField() public {
        bytes memory signature = _signed(
            string.concat(REPLACE_ORDER, SPEC_TYPE),
            _tuple(abi.encode(uint32(5), _fullSpec(), uint32(1_950_000_000), tenant, uint256(0), DEADLINE))
        );
        for (uint256 i; i < 18; ++i) {
            ISignedCalls.Authorization memory same = _authorization(0, signature);
            _refused(abi.encodeCall(ISignedCalls.replaceOrder, (5, _changedSpec(i), 1_950_000_000, same)));
        }
        _refused(abi.encodeCall(ISignedCalls.replaceOrder, (6, _fullSpec(), 1_950_000_000, _authorization(0, signature))));
        _refused(abi.encodeCall(ISignedCalls.replaceOrder, (5, _fullSpec(), 1_950_000_001, _authorization(0, signature))));
        for (uint256 i; i < 3; ++i) {
            _refused(abi.encodeCall(ISignedCalls.replaceOrder, (5, _fullSpec(), 1_950_000_000, _changedAuthorization(i, signature))));
        }
        assertEq(signedCalls.replaceOrder(5, _fullSpec(), 1_950_000_000, _authorization(0, signature)), 77);
    }

    function test_requestUpdateSignsEveryField() public {
        bytes memory signature =
            _signed(string.concat(REQUEST_UPDATE, UPDATE_TYPE), abi.encode(uint32(5), _fullUpdate(), tenant, uint256(0), DEADLINE));
        for (uint256 i; i < 6; ++i) {
            LeaseUpdate memory changed = _fullUpdate();
            if (i == 0) changed.milliGpu += 1;
            else if (i == 1) changed.cpuMilli += 1;
            else if (i == 2) changed.memoryMib += 1;
            else if (i == 3) changed.storageGib += 1;
            else if (i == 4) changed.maxPriceMicroPerHour += 1;
            else changed.manifestHash = keccak256("other");
            _refused(abi.encodeCall(ISignedCalls.requestUpdate, (5, changed, _authorization(0, signature))));
        }
        _refused(abi.encodeCall(ISignedCalls.requestUpdate, (6, _fullUpdate(), _authorization(0, signature))));
        for (uint256 i; i < 3; ++i) {
            _refused(abi.encodeCall(ISignedCalls.requestUpdate, (5, _fullUpdate(), _changedAuthorization(i, signature))));
        }
        signedCalls.requestUpdate(5, _fullUpdate(), _authorization(0, signature));
    }

    /// The calls of one or two words: each word and each part of the authorization, one at a time.
    function test_theShortCallsSignEveryField() public {
        for (uint256 kind = 2; kind < 12; ++kind) {
            if (kind == 4) continue;
            (string memory typeName, bytes memory fields,,) = _kind(kind, 0);
            bytes memory signature = _signed(typeName, fields);
            uint256 unused = vm.snapshotState();
            uint256 words = _words(kind);
            for (uint256 word; word < words; ++word) {
                bytes memory call = _callOf(kind, _authorization(0, signature));
                // The last bit of argument `word`, behind the selector.
                call[4 + 32 * word + 31] ^= 0x01;
                _refused(call);
            }
            for (uint256 i; i < 3; ++i) {
                _refused(_callOf(kind, _changedAuthorization(i, signature)));
            }
            (bool done,) = address(signedCalls).call(_callOf(kind, _authorization(0, signature)));
            assertTrue(done, typeName);
            vm.revertToState(unused);
        }
    }

    /// Any bit of any argument, spec, lists and signature included: either the call is refused or it is the very call that was signed.
    function testFuzz_noChangedBitPasses(uint256 kind, uint256 position) public {
        kind = bound(kind, 0, 11);
        (string memory typeName, bytes memory fields, bytes memory forwarded, CallRecorder target) = _kind(kind, 0);
        bytes memory call = _callOf(kind, _authorization(0, _signed(typeName, fields)));
        position = bound(position, 32, call.length * 8 - 1);
        call[position / 8] ^= bytes1(uint8(1 << (position % 8)));
        (bool done,) = address(signedCalls).call(call);
        // Only the padding behind the signature means nothing.
        if (done) assertEq(target.last(), bytes.concat(forwarded, bytes20(tenant)));
        else assertEq(target.calls(), 0);
    }

    // ---- domain, time, signer

    function test_refusesTheSignatureOfAnotherChain() public {
        bytes32 digest = _digest(address(signedCalls), block.chainid + 1, CANCEL_ORDER, abi.encode(uint32(5), tenant, uint256(0), DEADLINE));
        _refused(abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(0, _sign(KEY, digest)))));
        vm.chainId(block.chainid + 1);
        signedCalls.cancelOrder(5, _authorization(0, _sign(KEY, digest)));
    }

    function test_refusesTheSignatureForAnotherContract() public {
        SignedCalls other = _deploy();
        bytes32 digest = _digest(address(other), block.chainid, CANCEL_ORDER, abi.encode(uint32(5), tenant, uint256(0), DEADLINE));
        _refused(abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(0, _sign(KEY, digest)))));
        other.cancelOrder(5, _authorization(0, _sign(KEY, digest)));
    }

    function test_refusesAnExpiredSignatureAndTakesTheLastSecond() public {
        bytes memory signature = _signed(CANCEL_ORDER, abi.encode(uint32(5), tenant, uint256(0), DEADLINE));
        vm.warp(DEADLINE + 1);
        _reverts(
            abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(0, signature))),
            abi.encodeWithSelector(ISignedCalls.SignatureExpired.selector, DEADLINE)
        );
        vm.warp(DEADLINE);
        signedCalls.cancelOrder(5, _authorization(0, signature));
        assertEq(orders.calls(), 1);
    }

    function testFuzz_refusesEveryOtherSigner(uint256 key) public {
        key = boundPrivateKey(key);
        vm.assume(key != KEY);
        bytes32 digest = _digest(address(signedCalls), block.chainid, CANCEL_ORDER, abi.encode(uint32(5), tenant, uint256(0), DEADLINE));
        _refused(abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(0, _sign(key, digest)))));
    }

    function test_refusesMalformedSignatures() public {
        bytes memory good = _signed(CANCEL_ORDER, abi.encode(uint32(5), tenant, uint256(0), DEADLINE));
        _refused(abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(0, ""))));
        _refused(abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(0, bytes.concat(good, hex"00")))));
        // The same signature with the high s, which would be a second one for the same message.
        (bytes32 r, bytes32 s, bytes1 v) = abi.decode(abi.encodePacked(good, new bytes(31)), (bytes32, bytes32, bytes1));
        bytes32 high = bytes32(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141 - uint256(s));
        _refused(
            abi.encodeCall(
                ISignedCalls.cancelOrder, (5, _authorization(0, abi.encodePacked(r, high, uint8(v) == 27 ? uint8(28) : uint8(27))))
            )
        );
        // Nobody is the zero address.
        ISignedCalls.Authorization memory nobody = _authorization(0, new bytes(65));
        nobody.tenant = address(0);
        _reverts(
            abi.encodeCall(ISignedCalls.cancelOrder, (5, nobody)),
            abi.encodeWithSelector(ISignedCalls.InvalidSignature.selector, address(0))
        );
    }

    // ---- wallets and nonces

    function test_aContractWalletSignsByErc1271() public {
        ContractWallet wallet = new ContractWallet(tenant);
        ISignedCalls.Authorization memory authorization = ISignedCalls.Authorization({
            tenant: address(wallet),
            nonce: 0,
            deadline: DEADLINE,
            signature: _signed(CANCEL_ORDER, abi.encode(uint32(5), address(wallet), uint256(0), DEADLINE))
        });
        signedCalls.cancelOrder(5, authorization);
        assertEq(orders.last(), bytes.concat(abi.encodeCall(IOrderRequest.cancel, (5)), bytes20(address(wallet))));
        // What the wallet no longer approves is refused, as is a contract that knows no ERC-1271.
        authorization.nonce = 1;
        authorization.signature = _signed(CANCEL_ORDER, abi.encode(uint32(5), address(wallet), uint256(1), DEADLINE));
        wallet.lock();
        _reverts(
            abi.encodeCall(ISignedCalls.cancelOrder, (5, authorization)),
            abi.encodeWithSelector(ISignedCalls.InvalidSignature.selector, address(wallet))
        );
        authorization.tenant = address(manager);
        _reverts(
            abi.encodeCall(ISignedCalls.cancelOrder, (5, authorization)),
            abi.encodeWithSelector(ISignedCalls.InvalidSignature.selector, address(manager))
        );
    }

    /// Keys run side by side in any order; within a key the sequence is strict, and a gap is refused.
    function testFuzz_keyedNoncesRunInParallel(uint192 first, uint192 second) public {
        vm.assume(first != second);
        _cancelWith(uint256(first) << 64, true);
        _cancelWith((uint256(second) << 64) + 1, false);
        _cancelWith(uint256(second) << 64, true);
        _cancelWith((uint256(second) << 64) + 1, true);
        _cancelWith((uint256(first) << 64) + 2, false);
        _cancelWith((uint256(first) << 64) + 1, true);
        assertEq(signedCalls.nonces(tenant, first), (uint256(first) << 64) + 2);
        assertEq(signedCalls.nonces(tenant, second), (uint256(second) << 64) + 2);
    }

    /// A refusal by the market undoes the whole call: the error is the market's own, and the nonce is still there.
    function test_theMarketsErrorComesThroughAndKeepsTheNonce() public {
        orders.refuse();
        bytes memory signature = _signed(CANCEL_ORDER, abi.encode(uint32(5), tenant, uint256(0), DEADLINE));
        _reverts(
            abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(0, signature))),
            abi.encodeWithSelector(CallRecorder.Refused.selector, uint32(42))
        );
        assertEq(signedCalls.nonces(tenant, 0), 0);
    }

    // ---- module

    function test_publishesItsDomain() public view {
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) = signedCalls.eip712Domain();
        assertEq(name, "Matchmaker");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifyingContract, address(signedCalls));
    }

    function test_initializesOnceAndUpgradesByRoleAlone() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        signedCalls.initialize(address(this));
        MarketContracts memory market;
        SignedCalls implementation = new SignedCalls(market);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(address(this));
        vm.prank(tenant);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, tenant));
        signedCalls.upgradeToAndCall(address(implementation), "");
        _cancelWith(0, true);
        signedCalls.upgradeToAndCall(address(implementation), "");
        assertEq(signedCalls.nonces(tenant, 0), 1, "used nonces stay used");
    }

    // ---- inner

    /// Type, signed fields, market call and target of call `kind`.
    function _kind(uint256 kind, uint256 nonce)
        private
        view
        returns (string memory typeName, bytes memory fields, bytes memory forwarded, CallRecorder target)
    {
        if (kind < 2) return _orderKind(kind, nonce);
        if (kind == 2) {
            return (CANCEL_ORDER, abi.encode(uint32(5), tenant, nonce, DEADLINE), abi.encodeCall(IOrderRequest.cancel, (5)), orders);
        }
        if (kind < 9) return _leaseKind(kind, nonce);
        if (kind == 11) {
            return (
                CHOOSE_SPONSOR,
                abi.encode(address(0xABCD), tenant, nonce, DEADLINE),
                abi.encodeCall(IEscrow.chooseSponsor, (address(0xABCD))),
                money
            );
        }
        return (
            kind == 9 ? DEPOSIT : WITHDRAW,
            abi.encode(uint16(3), uint256(1e18), tenant, nonce, DEADLINE),
            kind == 9 ? abi.encodeCall(IEscrow.deposit, (3, 1e18)) : abi.encodeCall(IEscrow.withdraw, (3, 1e18)),
            money
        );
    }

    function _orderKind(uint256 kind, uint256 nonce) private view returns (string memory, bytes memory, bytes memory, CallRecorder) {
        OrderSpec memory spec = _fullSpec();
        uint32 expiresAt = 1_950_000_000;
        if (kind == 0) {
            return (
                string.concat(CREATE_ORDER, SPEC_TYPE),
                _tuple(abi.encode(spec, expiresAt, tenant, nonce, DEADLINE)),
                abi.encodeCall(IOrderRequest.createOrder, (spec, expiresAt)),
                orders
            );
        }
        return (
            string.concat(REPLACE_ORDER, SPEC_TYPE),
            _tuple(abi.encode(uint32(5), spec, expiresAt, tenant, nonce, DEADLINE)),
            abi.encodeCall(IOrderRequest.replaceOrder, (5, spec, expiresAt)),
            orders
        );
    }

    function _leaseKind(uint256 kind, uint256 nonce)
        private
        view
        returns (string memory typeName, bytes memory fields, bytes memory forwarded, CallRecorder)
    {
        fields = abi.encode(uint32(5), tenant, nonce, DEADLINE);
        if (kind == 3) {
            typeName = ANNOUNCE_MANIFEST;
            fields = abi.encode(uint32(5), keccak256("manifest"), tenant, nonce, DEADLINE);
            forwarded = abi.encodeCall(IComputeLease.announceManifest, (5, keccak256("manifest")));
        } else if (kind == 4) {
            typeName = string.concat(REQUEST_UPDATE, UPDATE_TYPE);
            fields = abi.encode(uint32(5), _fullUpdate(), tenant, nonce, DEADLINE);
            forwarded = abi.encodeCall(IComputeLease.requestUpdate, (5, _fullUpdate()));
        } else if (kind == 5) {
            typeName = CANCEL_UPDATE;
            forwarded = abi.encodeCall(IComputeLease.cancelUpdate, (5));
        } else if (kind == 6) {
            typeName = RENEW_LEASE;
            fields = abi.encode(uint32(5), uint24(60), tenant, nonce, DEADLINE);
            forwarded = abi.encodeCall(IComputeLease.renewLease, (5, 60));
        } else if (kind == 7) {
            typeName = TOP_UP;
            fields = abi.encode(uint32(5), uint24(60), tenant, nonce, DEADLINE);
            forwarded = abi.encodeCall(IComputeLease.topUp, (5, 60));
        } else {
            typeName = CLOSE_LEASE;
            forwarded = abi.encodeCall(IComputeLease.closeLease, (5));
        }
        return (typeName, fields, forwarded, leases);
    }

    /// The call of `kind` on the contract under test, with the fields that `_kind` signs.
    function _callOf(uint256 kind, ISignedCalls.Authorization memory given) private pure returns (bytes memory) {
        if (kind == 0) return abi.encodeCall(ISignedCalls.createOrder, (_fullSpec(), 1_950_000_000, given));
        if (kind == 1) return abi.encodeCall(ISignedCalls.replaceOrder, (5, _fullSpec(), 1_950_000_000, given));
        if (kind == 2) return abi.encodeCall(ISignedCalls.cancelOrder, (5, given));
        if (kind == 3) return abi.encodeCall(ISignedCalls.announceManifest, (5, keccak256("manifest"), given));
        if (kind == 4) return abi.encodeCall(ISignedCalls.requestUpdate, (5, _fullUpdate(), given));
        if (kind == 5) return abi.encodeCall(ISignedCalls.cancelUpdate, (5, given));
        if (kind == 6) return abi.encodeCall(ISignedCalls.renewLease, (5, 60, given));
        if (kind == 7) return abi.encodeCall(ISignedCalls.topUp, (5, 60, given));
        if (kind == 8) return abi.encodeCall(ISignedCalls.closeLease, (5, given));
        if (kind == 9) return abi.encodeCall(ISignedCalls.deposit, (3, 1e18, given));
        if (kind == 10) return abi.encodeCall(ISignedCalls.withdraw, (3, 1e18, given));
        return abi.encodeCall(ISignedCalls.chooseSponsor, (address(0xABCD), given));
    }

    /// Arguments of one word each before the authorization.
    function _words(uint256 kind) private pure returns (uint256) {
        return kind == 2 || kind == 5 || kind == 8 || kind == 11 ? 1 : 2;
    }

    function _changedSpec(uint256 field) private pure returns (OrderSpec memory spec) {
        spec = _fullSpec();
        if (field == 0) spec.milliGpu = 3000;
        else if (field == 1) spec.cpuMilli += 1;
        else if (field == 2) spec.memoryMib += 1;
        else if (field == 3) spec.storageGib += 1;
        else if (field == 4) spec.models = _list16(9, 7);
        else if (field == 5) spec.regions = _list16(3, 5);
        else if (field == 6) spec.regionsExcluded = new uint16[](0);
        else if (field == 7) spec.providersWanted = _list24(22, 21);
        else if (field == 8) spec.providersExcluded = _list24(31, 33);
        else if (field == 9) spec.tiers = 126;
        else if (field == 10) spec.attributes = 7;
        else if (field == 11) spec.regionRequired = false;
        else if (field == 12) spec.minUptimeBps += 1;
        else if (field == 13) spec.minReputationBps += 1;
        else if (field == 14) spec.maxSlashes += 1;
        else if (field == 15) spec.tokenId += 1;
        else if (field == 16) spec.maxPriceMicroPerHour += 1;
        else spec.durationMinutes += 1;
    }

    function _authorization(uint256 nonce, bytes memory signature) private view returns (ISignedCalls.Authorization memory) {
        return ISignedCalls.Authorization({ tenant: tenant, nonce: nonce, deadline: DEADLINE, signature: signature });
    }

    function _changedAuthorization(uint256 field, bytes memory signature) private returns (ISignedCalls.Authorization memory changed) {
        changed = _authorization(0, signature);
        if (field == 0) changed.tenant = makeAddr("other tenant");
        else if (field == 1) changed.nonce = 1 << 64;
        else changed.deadline += 1;
    }

    function _signed(string memory typeName, bytes memory fields) private view returns (bytes memory) {
        return _sign(KEY, _digest(address(signedCalls), block.chainid, typeName, fields));
    }

    function _cancelWith(uint256 nonce, bool accepted) private {
        bytes memory signature = _signed(CANCEL_ORDER, abi.encode(uint32(5), tenant, nonce, DEADLINE));
        (bool done,) = address(signedCalls).call(abi.encodeCall(ISignedCalls.cancelOrder, (5, _authorization(nonce, signature))));
        assertEq(done, accepted);
    }

    /// The call reverts `InvalidSignature` for whoever it names, and nothing is forwarded.
    function _refused(bytes memory call) private {
        uint256 before = orders.calls() + leases.calls() + money.calls();
        (bool done, bytes memory reason) = address(signedCalls).call(call);
        assertFalse(done);
        assertEq(bytes4(reason), ISignedCalls.InvalidSignature.selector);
        assertEq(orders.calls() + leases.calls() + money.calls(), before);
    }

    function _reverts(bytes memory call, bytes memory expected) private {
        (bool done, bytes memory reason) = address(signedCalls).call(call);
        assertFalse(done);
        assertEq(reason, expected);
    }
}
