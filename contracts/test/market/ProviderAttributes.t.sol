// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SlotDerivation } from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import { LibString } from "solady/utils/LibString.sol";
import { MarketContracts } from "../../src/governance/MarketContracts.sol";
import { IProviderAttributes, ResourceCategory } from "../../src/market/IProviderAttributes.sol";
import { IProviderRegistry } from "../../src/market/IProviderRegistry.sol";
import { ProviderAttributes } from "../../src/market/ProviderAttributes.sol";
import { ProviderRegistry } from "../../src/market/ProviderRegistry.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";

/// @notice A provider in the real registry, and a table of 20 GPU rows (1..20) and two CPU rows (21, 22).
abstract contract AttributesFixture is Test {
    uint16 internal constant GPU_ROWS = 20;

    AccessManager internal authority;
    ProviderRegistry internal registry;
    ProviderAttributes internal attributes;
    MarketContracts internal market;
    uint24 internal providerId;
    address internal owner = makeAddr("owner");
    address internal stranger = makeAddr("stranger");

    function setUp() public virtual {
        authority = new AccessManager(address(this));
        address admission = makeAddr("admission");
        market.authority = address(authority);
        market.providerAdmission = admission;
        market.providerRegistry = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        attributes = ProviderAttributes(
            address(
                new ERC1967Proxy(
                    address(new ProviderAttributes(market)), abi.encodeCall(ProviderAttributes.initialize, (address(authority)))
                )
            )
        );
        market.providerAttributes = address(attributes);
        registry = new ProviderRegistry(market);
        vm.prank(admission);
        providerId = registry.registerProvider(owner, "provider", "https://provider.example");
        for (uint256 i; i < GPU_ROWS; ++i) {
            attributes.addResource(ResourceCategory.Gpu, string.concat("gpu-", vm.toString(i)), uint32(1000 * (i + 1)));
        }
        attributes.addResource(ResourceCategory.Cpu, "gp", 10_000);
        attributes.addResource(ResourceCategory.Cpu, "hpc", 20_000);
    }

    /// The first `count` GPU rows with as many units each as their number.
    function _gpuRows(uint256 count) internal pure returns (uint16[] memory resourceIds, uint32[] memory units) {
        resourceIds = new uint16[](count);
        units = new uint32[](count);
        for (uint256 i; i < count; ++i) {
            (resourceIds[i], units[i]) = (uint16(i + 1), uint32(i + 1));
        }
    }

    function _submit(uint256 count) internal returns (bytes32) {
        (uint16[] memory resourceIds, uint32[] memory units) = _gpuRows(count);
        vm.prank(owner);
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        return keccak256(abi.encode(resourceIds, units));
    }
}

contract ProviderAttributesTest is AttributesFixture {
    // ---- the resource table

    function test_RowsAreNumberedInTheirOrder() public {
        vm.expectEmit(address(attributes));
        emit IProviderAttributes.ResourceAdded(GPU_ROWS + 3, ResourceCategory.Gpu, "h100", 120_000);
        assertEq(attributes.addResource(ResourceCategory.Gpu, "h100", 120_000), GPU_ROWS + 3);
        assertEq(attributes.resourceCount(), GPU_ROWS + 3);
        (ResourceCategory category, uint32 multiplierBps, string memory name) = attributes.resourceOf(GPU_ROWS + 3);
        assertEq(uint256(category), uint256(ResourceCategory.Gpu));
        assertEq(multiplierBps, 120_000);
        assertEq(name, "h100");
        // The same name in the other category is another thing.
        assertEq(attributes.addResource(ResourceCategory.Cpu, "h100", 1), GPU_ROWS + 4);
    }

    function test_MultiplierChanges() public {
        vm.expectEmit(address(attributes));
        emit IProviderAttributes.ResourceMultiplierUpdated(2, 0);
        attributes.setResourceMultiplier(2, 0);
        (, uint32 multiplierBps,) = attributes.resourceOf(2);
        assertEq(multiplierBps, 0);
        attributes.setResourceMultiplier(2, 1_000_000);
    }

    function test_RevertIf_ARowOfTheTableIsWrong() public {
        _expectFieldOutOfBounds("name");
        attributes.addResource(ResourceCategory.Gpu, "", 1);
        _expectFieldOutOfBounds("name");
        attributes.addResource(ResourceCategory.Gpu, string(new bytes(65)), 1);
        _expectFieldOutOfBounds("multiplierBps");
        attributes.addResource(ResourceCategory.Gpu, "x", 1_000_001);
        _expectFieldOutOfBounds("multiplierBps");
        attributes.setResourceMultiplier(1, 1_000_001);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.DuplicateId.selector, 1));
        attributes.addResource(ResourceCategory.Gpu, "gpu-0", 1);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.ResourceNotFound.selector, 0));
        attributes.setResourceMultiplier(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.ResourceNotFound.selector, GPU_ROWS + 3));
        attributes.setResourceMultiplier(GPU_ROWS + 3, 1);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.ResourceNotFound.selector, 0));
        attributes.resourceOf(0);
    }

    function test_RevertIf_IdsRunOut() public {
        bytes32 slot = SlotDerivation.erc7201Slot("matchmaker.storage.ProviderAttributes");
        assertEq(uint256(vm.load(address(attributes), slot)), attributes.resourceCount(), "the words lie where the formula says");
        vm.store(address(attributes), slot, bytes32(uint256(type(uint16).max)));
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 16, uint256(1) << 16));
        attributes.addResource(ResourceCategory.Gpu, "one more", 1);
    }

    // ---- hardware

    function test_SubmittedRowsWaitForTheVerifier() public {
        (uint16[] memory resourceIds, uint32[] memory units) = _gpuRows(16);
        vm.expectEmit(address(attributes));
        emit IProviderAttributes.AttributesSubmitted(providerId, ResourceCategory.Gpu, resourceIds, units);
        bytes32 hash = _submit(16);
        assertEq(attributes.pendingHash(providerId, ResourceCategory.Gpu), hash);
        assertEq(attributes.pendingHash(providerId, ResourceCategory.Cpu), 0);
        _assertActive(0);
        (uint16[] memory pendingIds, uint32[] memory pendingUnits) = attributes.pendingAttributes(providerId, ResourceCategory.Gpu);
        assertEq(abi.encode(pendingIds, pendingUnits), abi.encode(resourceIds, units));

        vm.expectEmit(address(attributes));
        emit IProviderAttributes.AttributesApproved(providerId, ResourceCategory.Gpu, resourceIds, units);
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, hash);
        _assertActive(16);
        assertEq(attributes.pendingHash(providerId, ResourceCategory.Gpu), 0);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.NoPendingAttributes.selector, providerId));
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, hash);

        // Fewer rows later leave nothing of the longer list behind.
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, _submit(3));
        _assertActive(3);
    }

    function test_RevertIf_TheRowsChangedSinceTheVerifierSawThem() public {
        bytes32 seen = _submit(2);
        bytes32 now_ = _submit(3);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.PendingAttributesChanged.selector, providerId, now_));
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, seen);
        _assertActive(0);
    }

    function test_RemovalTakesActiveAndPendingRows() public {
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, _submit(2));
        _submit(4);
        vm.expectEmit(address(attributes));
        emit IProviderAttributes.AttributesRemoved(providerId, ResourceCategory.Gpu);
        vm.prank(owner);
        attributes.removeAttributes(providerId, ResourceCategory.Gpu);
        _assertActive(0);
        assertEq(attributes.pendingHash(providerId, ResourceCategory.Gpu), 0);

        attributes.approveAttributes(providerId, ResourceCategory.Gpu, _submit(2));
        vm.expectEmit(address(attributes));
        emit IProviderAttributes.AttributesRemoved(providerId, ResourceCategory.Gpu);
        attributes.removeAttributesOf(providerId, ResourceCategory.Gpu);
        _assertActive(0);
    }

    function test_CategoriesStandApart() public {
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, _submit(2));
        uint16[] memory resourceIds = new uint16[](1);
        uint32[] memory units = new uint32[](1);
        (resourceIds[0], units[0]) = (GPU_ROWS + 1, 1 << 20);
        vm.prank(owner);
        attributes.submitAttributes(providerId, ResourceCategory.Cpu, resourceIds, units);
        attributes.approveAttributes(providerId, ResourceCategory.Cpu, keccak256(abi.encode(resourceIds, units)));
        attributes.removeAttributesOf(providerId, ResourceCategory.Gpu);
        (uint16[] memory activeIds, uint32[] memory activeUnits) = attributes.activeAttributes(providerId, ResourceCategory.Cpu);
        assertEq(abi.encode(activeIds, activeUnits), abi.encode(resourceIds, units));
    }

    function test_RevertIf_SubmittedRowsAreWrong() public {
        (uint16[] memory resourceIds, uint32[] memory units) = _gpuRows(17);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.TooManyAttributes.selector, 17, 16));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        vm.expectRevert(IProviderAttributes.ArrayMismatch.selector);
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, new uint32[](16));
        _expectFieldOutOfBounds("resourceIds");
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, new uint16[](0), new uint32[](0));

        (resourceIds, units) = _gpuRows(3);
        resourceIds[2] = 2;
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.DuplicateId.selector, 2));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        (resourceIds[1], resourceIds[2]) = (5, 4);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.DuplicateId.selector, 4));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        resourceIds[2] = GPU_ROWS + 3;
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.ResourceNotFound.selector, GPU_ROWS + 3));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        resourceIds[0] = 0;
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.ResourceNotFound.selector, 0));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        resourceIds[0] = 1;
        resourceIds[2] = GPU_ROWS + 1;
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.ResourceCategoryMismatch.selector, GPU_ROWS + 1, ResourceCategory.Gpu));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        (resourceIds, units) = _gpuRows(3);
        units[1] = 0;
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.InvalidUnit.selector, 2));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        units[1] = (1 << 20) + 1;
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.InvalidUnit.selector, 2));
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
    }

    /// Any ascending list comes back as it was, after earlier lists of any length.
    function testFuzz_RowsComeBackAsTheyWere(uint256 seed) public {
        for (uint256 pass; pass < 3; ++pass) {
            uint256 draw = uint256(keccak256(abi.encode(seed, pass)));
            uint16[] memory resourceIds = new uint16[](16);
            uint32[] memory units = new uint32[](16);
            uint256 count;
            for (uint16 id = 1; id <= GPU_ROWS && count < 16; ++id) {
                if ((draw >> id) & 1 == 0) continue;
                resourceIds[count] = id;
                units[count++] = uint32(1 + uint256(keccak256(abi.encode(draw, id))) % (1 << 20));
            }
            if (count == 0) continue;
            assembly ("memory-safe") {
                mstore(resourceIds, count)
                mstore(units, count)
            }
            vm.prank(owner);
            attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
            attributes.approveAttributes(providerId, ResourceCategory.Gpu, keccak256(abi.encode(resourceIds, units)));
            (uint16[] memory activeIds, uint32[] memory activeUnits) = attributes.activeAttributes(providerId, ResourceCategory.Gpu);
            assertEq(abi.encode(activeIds, activeUnits), abi.encode(resourceIds, units));
        }
    }

    // ---- capabilities

    function test_ApprovedCapabilitiesReachTheProvidersWord() public {
        uint64 bits = (1 << 54) - 1;
        vm.expectEmit(address(attributes));
        emit IProviderAttributes.CapabilitiesSubmitted(providerId, bits);
        vm.prank(owner);
        attributes.submitCapabilities(providerId, bits);
        assertEq(_wordBits(), 0);
        (bool pending, uint64 pendingBits) = attributes.pendingCapabilities(providerId);
        assertTrue(pending);
        assertEq(pendingBits, bits);

        vm.expectEmit(address(attributes));
        emit IProviderAttributes.CapabilitiesApproved(providerId, bits);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.ProviderAttributesUpdated(providerId, bits);
        attributes.approveCapabilities(providerId, bits);
        assertEq(_wordBits(), bits);
        (pending,) = attributes.pendingCapabilities(providerId);
        assertFalse(pending);

        // No bits at all is something to ask for, too.
        vm.prank(owner);
        attributes.submitCapabilities(providerId, 0);
        attributes.approveCapabilities(providerId, 0);
        assertEq(_wordBits(), 0);
    }

    function test_VerifierTakesCapabilitiesBack() public {
        vm.startPrank(owner);
        attributes.submitCapabilities(providerId, 5);
        vm.stopPrank();
        attributes.approveCapabilities(providerId, 5);
        vm.prank(owner);
        attributes.submitCapabilities(providerId, 7);
        vm.expectEmit(address(attributes));
        emit IProviderAttributes.CapabilitiesRemoved(providerId);
        attributes.removeCapabilitiesOf(providerId);
        assertEq(_wordBits(), 0);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.NoPendingCapabilities.selector, providerId));
        attributes.approveCapabilities(providerId, 7);
    }

    function test_RevertIf_CapabilitiesAreWrong() public {
        vm.prank(owner);
        _expectFieldOutOfBounds("capabilities");
        attributes.submitCapabilities(providerId, 1 << 54);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.NoPendingCapabilities.selector, providerId));
        attributes.approveCapabilities(providerId, 0);
        vm.prank(owner);
        attributes.submitCapabilities(providerId, 6);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.PendingCapabilitiesChanged.selector, providerId, 6));
        attributes.approveCapabilities(providerId, 5);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderNotFound.selector, 9));
        attributes.removeCapabilitiesOf(9);
    }

    // ---- callers

    function test_RevertIf_CallerIsNotTheOwnerOrTheRole() public {
        (uint16[] memory resourceIds, uint32[] memory units) = _gpuRows(1);
        vm.startPrank(stranger);
        bytes memory notOwner = abi.encodeWithSelector(IProviderAttributes.NotProviderOwner.selector, providerId, stranger);
        vm.expectRevert(notOwner);
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        vm.expectRevert(notOwner);
        attributes.removeAttributes(providerId, ResourceCategory.Gpu);
        vm.expectRevert(notOwner);
        attributes.submitCapabilities(providerId, 1);
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.NotProviderOwner.selector, 9, stranger));
        attributes.submitCapabilities(9, 1);
        bytes memory unauthorized = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        vm.expectRevert(unauthorized);
        attributes.addResource(ResourceCategory.Gpu, "x", 1);
        vm.expectRevert(unauthorized);
        attributes.setResourceMultiplier(1, 1);
        vm.expectRevert(unauthorized);
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, 0);
        vm.expectRevert(unauthorized);
        attributes.removeAttributesOf(providerId, ResourceCategory.Gpu);
        vm.expectRevert(unauthorized);
        attributes.approveCapabilities(providerId, 1);
        vm.expectRevert(unauthorized);
        attributes.removeCapabilitiesOf(providerId);
    }

    // ---- the proxy

    function test_RevertIf_InitializedAgainOrUnproxied() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        attributes.initialize(stranger);
        ProviderAttributes implementation = new ProviderAttributes(market);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(stranger);
    }

    function test_UpgradeKeepsRowsAndIsARoles() public {
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, _submit(5));
        address implementation = address(new ProviderAttributes(market));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        attributes.upgradeToAndCall(implementation, "");
        attributes.upgradeToAndCall(implementation, "");
        _assertActive(5);
    }

    // ----

    function _assertActive(uint256 count) private view {
        (uint16[] memory resourceIds, uint32[] memory units) = _gpuRows(count);
        (uint16[] memory activeIds, uint32[] memory activeUnits) = attributes.activeAttributes(providerId, ResourceCategory.Gpu);
        assertEq(abi.encode(activeIds, activeUnits), abi.encode(resourceIds, units));
    }

    function _wordBits() private view returns (uint256) {
        return ProviderWord.wrap(uint256(registry.providerWord(providerId))).attributes();
    }

    function _expectFieldOutOfBounds(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IProviderAttributes.FieldOutOfBounds.selector, field));
    }
}

/// @notice What each call costs by itself, with the longest list; what it works on was made in `setUp`, another transaction.
contract ProviderAttributesGasTest is AttributesFixture {
    bytes32 private pending;

    function setUp() public override {
        super.setUp();
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, _submit(8));
        pending = _submit(16);
        vm.prank(owner);
        attributes.submitCapabilities(providerId, 5);
    }

    function test_Gas_AddResource() public {
        string memory name = LibString.repeat("x", 64);
        attributes.addResource(ResourceCategory.Gpu, name, 10_000);
        _snapshot("addResource");
    }

    function test_Gas_SetResourceMultiplier() public {
        attributes.setResourceMultiplier(1, 2);
        _snapshot("setResourceMultiplier");
    }

    function test_Gas_SubmitAttributes() public {
        uint16[] memory resourceIds = new uint16[](16);
        uint32[] memory units = new uint32[](16);
        for (uint256 i; i < 16; ++i) {
            (resourceIds[i], units[i]) = (uint16(i + 5), 3);
        }
        vm.prank(owner);
        attributes.submitAttributes(providerId, ResourceCategory.Gpu, resourceIds, units);
        _snapshot("submitAttributes, 16 rows over 16");
    }

    function test_Gas_ApproveAttributes() public {
        attributes.approveAttributes(providerId, ResourceCategory.Gpu, pending);
        _snapshot("approveAttributes, 16 rows over 8");
    }

    function test_Gas_RemoveAttributes() public {
        vm.prank(owner);
        attributes.removeAttributes(providerId, ResourceCategory.Gpu);
        _snapshot("removeAttributes");
    }

    function test_Gas_RemoveAttributesOf() public {
        attributes.removeAttributesOf(providerId, ResourceCategory.Gpu);
        _snapshot("removeAttributesOf");
    }

    function test_Gas_SubmitCapabilities() public {
        vm.prank(owner);
        attributes.submitCapabilities(providerId, 6);
        _snapshot("submitCapabilities");
    }

    function test_Gas_ApproveCapabilities() public {
        attributes.approveCapabilities(providerId, 5);
        _snapshot("approveCapabilities");
    }

    function test_Gas_RemoveCapabilitiesOf() public {
        attributes.removeCapabilitiesOf(providerId);
        _snapshot("removeCapabilitiesOf");
    }

    function _snapshot(string memory name) private {
        vm.snapshotGasLastCall("ProviderAttributes", name);
    }
}
