// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { ITokenRegistry } from "../../src/market/ITokenRegistry.sol";
import { TokenRegistry } from "../../src/market/TokenRegistry.sol";
import { TestToken } from "./TestToken.sol";

/// @notice A token that has decimals and nothing else.
contract NamelessToken {
    uint8 public constant decimals = 8;
}

contract TokenRegistryTest is Test {
    AccessManager private authority;
    TokenRegistry private tokenRegistry;
    TestToken private token;
    address private stranger = makeAddr("stranger");

    function setUp() public {
        authority = new AccessManager(address(this));
        token = new TestToken("USDX", 6);
        tokenRegistry = TokenRegistry(
            address(new ERC1967Proxy(address(new TokenRegistry()), abi.encodeCall(TokenRegistry.initialize, (address(authority)))))
        );
        assertEq(tokenRegistry.approveToken(address(token), 0), 1);
    }

    function test_FirstTokenIsNumberOne() public view {
        assertEq(tokenRegistry.tokenCount(), 1);
        assertEq(tokenRegistry.idOf(address(token)), 1);
        (address address_, uint8 decimals, uint256 minimumDeposit, bool approved) = tokenRegistry.tokenOf(1);
        assertEq(address_, address(token));
        assertEq(decimals, 6);
        assertEq(minimumDeposit, 0);
        assertTrue(approved);
        assertTrue(tokenRegistry.isApproved(1));
        assertFalse(tokenRegistry.isApproved(0));
        assertFalse(tokenRegistry.isApproved(2));
    }

    function test_ApproveReadsDecimalsAndSymbol() public {
        TestToken other = new TestToken("ABC", 18);
        vm.expectEmit(address(tokenRegistry));
        emit ITokenRegistry.TokenApproved(2, address(other), "ABC", 18, 77);
        assertEq(tokenRegistry.approveToken(address(other), 77), 2);
        vm.snapshotGasLastCall("TokenRegistry", "approveToken");
        (,, uint256 minimumDeposit,) = tokenRegistry.tokenOf(2);
        assertEq(minimumDeposit, 77);
    }

    function test_TokenWithoutSymbolIsTaken() public {
        address nameless = address(new NamelessToken());
        vm.expectEmit(address(tokenRegistry));
        emit ITokenRegistry.TokenApproved(2, nameless, "", 8, 0);
        tokenRegistry.approveToken(nameless, 0);
    }

    function test_RevokeAndReinstate() public {
        vm.expectEmit(address(tokenRegistry));
        emit ITokenRegistry.TokenRevoked(1);
        tokenRegistry.revokeToken(1);
        vm.snapshotGasLastCall("TokenRegistry", "revokeToken");
        assertFalse(tokenRegistry.isApproved(1));
        assertEq(tokenRegistry.idOf(address(token)), 1);
        vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenNotApproved.selector, 1));
        tokenRegistry.revokeToken(1);
        vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenAlreadyApproved.selector, token, 1));
        tokenRegistry.approveToken(address(token), 0);
        vm.expectEmit(address(tokenRegistry));
        emit ITokenRegistry.TokenReinstated(1);
        tokenRegistry.reinstateToken(1);
        vm.snapshotGasLastCall("TokenRegistry", "reinstateToken");
        assertTrue(tokenRegistry.isApproved(1));
        vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenAlreadyApproved.selector, token, 1));
        tokenRegistry.reinstateToken(1);
    }

    function testFuzz_OnlySixToEighteenDecimals(uint8 decimals) public {
        TestToken other = new TestToken("ABC", decimals);
        if (decimals < 6 || decimals > 18) {
            vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenDecimalsUnsupported.selector, decimals));
        }
        tokenRegistry.approveToken(address(other), 0);
    }

    function test_RevertIf_AddressIsNoToken() public {
        vm.expectRevert(ITokenRegistry.InvalidAddress.selector);
        tokenRegistry.approveToken(address(0), 0);
        vm.expectRevert(ITokenRegistry.InvalidAddress.selector);
        tokenRegistry.approveToken(stranger, 0);
        // A contract that knows nothing of decimals.
        vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenDecimalsUnsupported.selector, 0));
        tokenRegistry.approveToken(address(authority), 0);
    }

    function test_RevertIf_TokenIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenNotFound.selector, 9));
        tokenRegistry.tokenOf(9);
        vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenNotFound.selector, 9));
        tokenRegistry.revokeToken(9);
        vm.expectRevert(abi.encodeWithSelector(ITokenRegistry.TokenNotFound.selector, 9));
        tokenRegistry.reinstateToken(9);
    }

    function test_RevertIf_CallerIsNotGovernance() public {
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(unauthorized);
        tokenRegistry.approveToken(address(token), 0);
        vm.expectRevert(unauthorized);
        tokenRegistry.revokeToken(1);
        vm.expectRevert(unauthorized);
        tokenRegistry.reinstateToken(1);
    }

    function test_StateIsInItsNamespace() public view {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.TokenRegistry");
        assertEq(uint256(vm.load(address(tokenRegistry), bytes32(uint256(slot) + 2))), tokenRegistry.tokenCount());
    }

    function test_RevertIf_InitializedAgainOrUnproxied() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        tokenRegistry.initialize(stranger);
        TokenRegistry implementation = new TokenRegistry();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(stranger);
    }
}
