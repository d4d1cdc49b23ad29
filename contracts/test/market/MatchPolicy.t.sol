// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { IAccessManaged } from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { IMatchPolicy } from "../../src/market/IMatchPolicy.sol";
import { Policy } from "../../src/market/MarketTypes.sol";
import { MatchPolicy } from "../../src/market/MatchPolicy.sol";
import { ScheduleWord } from "../../src/words/ScheduleWord.sol";
import { Slots } from "../../src/words/Slots.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { noPacking } from "../rules/NoPacking.sol";

contract MatchPolicyTest is Test {
    uint256 private constant DEPLOYED_IN = 1000;

    AccessManager private authority;
    MatchPolicy private matchPolicy;
    address private implementation;
    address private stranger = makeAddr("stranger");

    function setUp() public {
        vm.roll(DEPLOYED_IN);
        authority = new AccessManager(address(this));
        implementation = address(new MatchPolicy(false));
        matchPolicy = _deploy(8, _policy());
    }

    function _deploy(uint16 lengthBlocks, Policy memory policy) private returns (MatchPolicy) {
        bytes memory call = abi.encodeCall(MatchPolicy.initialize, (address(authority), lengthBlocks, policy, noPacking()));
        return MatchPolicy(address(new ERC1967Proxy(implementation, call)));
    }

    function _policy() private pure returns (Policy memory) {
        return Policy({
            rulesVersion: 1,
            weightPriceBps: 4500,
            weightStakeBps: 1500,
            weightFitBps: 1500,
            weightRegionBps: 1000,
            weightUptimeBps: 1000,
            weightReputationBps: 500,
            saturationWhole: 100_000,
            complianceCapBps: 12_000,
            jitterRange: 6_000_000_000,
            defaultUptimeBps: 9500,
            defaultReputationBps: 5000,
            maxMatches: 512,
            quorumBps: 6667,
            minTotalStake: 1 ether,
            maxTableAgeSeconds: 1 days,
            coolRounds: 10,
            selfMatchRounds: 30,
            weightPackingBps: 0,
            packingHash: 0
        });
    }

    function test_DeploymentStartsRoundOneAfterOneLength() public {
        vm.expectEmit();
        emit IMatchPolicy.PolicyScheduled(1, uint40(DEPLOYED_IN + 4), 4, PolicyHash.ofMemory(_policy()), _policy(), noPacking());
        MatchPolicy fresh = _deploy(4, _policy());
        assertEq(fresh.openRound(), 0);
        assertEq(fresh.fromRoundNow(), 1);
        assertEq(fresh.snapshotBlock(1), DEPLOYED_IN + 4);
        vm.roll(DEPLOYED_IN + 4);
        assertEq(fresh.openRound(), 0);
        assertEq(fresh.fromRoundNow(), 1);
        vm.roll(DEPLOYED_IN + 5);
        assertEq(fresh.openRound(), 1);
        assertEq(fresh.fromRoundNow(), 2);
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.RoundClosed.selector, 0));
        fresh.snapshotBlock(0);
    }

    function test_WordsAreWhereNodesReadThem() public {
        assertEq(uint256(vm.load(address(matchPolicy), bytes32(Slots.SCHEDULE))), (1 << 56) | ((DEPLOYED_IN + 8) << 16) | 8);
        assertEq(vm.load(address(matchPolicy), bytes32(Slots.POLICY_HASH_NEWEST)), PolicyHash.ofMemory(_policy()));
        vm.roll(DEPLOYED_IN + 20);
        Policy memory changed = _policy();
        changed.coolRounds = 3;
        matchPolicy.schedule(9, 16, changed, noPacking());
        assertEq(vm.load(address(matchPolicy), bytes32(Slots.POLICY_HASH_NEWEST)), PolicyHash.ofMemory(changed));
        assertEq(vm.load(address(matchPolicy), bytes32(Slots.POLICY_HASH_PREVIOUS)), PolicyHash.ofMemory(_policy()));
    }

    function test_ChangeKeepsTheOldRoundsAndMovesTheNewOnes() public {
        vm.roll(DEPLOYED_IN + 8 * 5 + 1);
        assertEq(matchPolicy.openRound(), 5);
        Policy memory changed = _policy();
        changed.coolRounds = 3;
        bytes32 oldHash = PolicyHash.ofMemory(_policy());
        bytes32 newHash = PolicyHash.ofMemory(changed);
        uint40 changeBlock = matchPolicy.snapshotBlock(8);
        vm.expectEmit(address(matchPolicy));
        emit IMatchPolicy.PolicyScheduled(8, changeBlock, 20, newHash, changed, noPacking());
        matchPolicy.schedule(8, 20, changed, noPacking());
        vm.snapshotGasLastCall("MatchPolicy", "schedule");

        (uint40 first, uint40 next, bytes32 hash) = matchPolicy.roundTerms(7);
        assertEq(first, changeBlock - 8);
        assertEq(next, changeBlock, "B(F) is the same in both periods");
        assertEq(hash, oldHash);
        (first, next, hash) = matchPolicy.roundTerms(8);
        assertEq(first, changeBlock);
        assertEq(next, changeBlock + 20);
        assertEq(hash, newHash);
    }

    function test_RevertIf_ChangeIsPending() public {
        vm.roll(DEPLOYED_IN + 20);
        matchPolicy.schedule(10, 16, _policy(), noPacking());
        vm.roll(matchPolicy.snapshotBlock(10));
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.ScheduleChangePending.selector, 10));
        matchPolicy.schedule(20, 16, _policy(), noPacking());
        vm.roll(block.number + 1);
        matchPolicy.schedule(20, 4, _policy(), noPacking());
        // Rounds before the previous period are closed for ever.
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.RoundClosed.selector, 9));
        matchPolicy.roundTerms(9);
        matchPolicy.roundTerms(10);
    }

    function test_RevertIf_FirstRoundHasNotOpened() public {
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.ScheduleChangePending.selector, 1));
        matchPolicy.schedule(20, 16, _policy(), noPacking());
    }

    function test_RevertIf_RoundIsTooEarlyOrTooFar() public {
        vm.roll(DEPLOYED_IN + 8 * 5 + 1);
        assertEq(matchPolicy.fromRoundNow(), 6);
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.FromRoundTooEarly.selector, 7, 8));
        matchPolicy.schedule(7, 16, _policy(), noPacking());
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, "fromRound"));
        matchPolicy.schedule(6 + (1 << 20) + 1, 16, _policy(), noPacking());
        matchPolicy.schedule(6 + (1 << 20), 16, _policy(), noPacking());
    }

    function test_RevertIf_InitializedAgainOrUnproxied() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        matchPolicy.initialize(stranger, 8, _policy(), noPacking());
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        MatchPolicy(implementation).initialize(stranger, 8, _policy(), noPacking());
    }

    function test_RevertIf_CallerIsNotGovernance() public {
        vm.roll(DEPLOYED_IN + 20);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        matchPolicy.schedule(20, 16, _policy(), noPacking());
    }

    function test_RevertIf_AFieldIsOutOfBounds() public {
        vm.roll(DEPLOYED_IN + 20);
        _assertLengthInvalid(0);
        _assertLengthInvalid(201);
        Policy memory policy = _policy();
        policy.rulesVersion = 0;
        _assertInvalid(policy, "rulesVersion");
        policy = _policy();
        policy.weightFitBps += 1;
        _assertInvalid(policy, "weights");
        policy = _policy();
        policy.saturationWhole = 0;
        _assertInvalid(policy, "saturationWhole");
        policy = _policy();
        policy.complianceCapBps = 9999;
        _assertInvalid(policy, "complianceCapBps");
        policy.complianceCapBps = 20_001;
        _assertInvalid(policy, "complianceCapBps");
        policy = _policy();
        policy.jitterRange = 1 << 36;
        _assertInvalid(policy, "jitterRange");
        policy = _policy();
        policy.defaultUptimeBps = 10_001;
        _assertInvalid(policy, "defaultUptimeBps");
        policy = _policy();
        policy.defaultReputationBps = 10_001;
        _assertInvalid(policy, "defaultReputationBps");
        policy = _policy();
        policy.maxMatches = 0;
        _assertInvalid(policy, "maxMatches");
        policy.maxMatches = 513;
        _assertInvalid(policy, "maxMatches");
        policy = _policy();
        policy.quorumBps = 0;
        _assertInvalid(policy, "quorumBps");
        policy.quorumBps = 10_000;
        _assertInvalid(policy, "quorumBps");
        policy = _policy();
        policy.minTotalStake = 0;
        _assertInvalid(policy, "minTotalStake");
        policy = _policy();
        policy.maxTableAgeSeconds = 0;
        _assertInvalid(policy, "maxTableAgeSeconds");
        policy = _policy();
        policy.coolRounds = 1 << 20;
        _assertInvalid(policy, "coolRounds");
        policy = _policy();
        policy.selfMatchRounds = 1;
        _assertInvalid(policy, "selfMatchRounds");
        policy.selfMatchRounds = 1 << 20;
        _assertInvalid(policy, "selfMatchRounds");
    }

    // ---- packing terms

    function test_TheSecondVersionCarriesPackingTerms() public {
        vm.roll(DEPLOYED_IN + 20);
        PackingTerms memory packing = _packing();
        Policy memory policy = _packed(packing);
        bytes32 policyHash = keccak256(abi.encode(policy));
        uint40 fromBlock = matchPolicy.snapshotBlock(20);
        vm.expectEmit(address(matchPolicy));
        emit IMatchPolicy.PolicyScheduled(20, fromBlock, 16, policyHash, policy, packing);
        matchPolicy.schedule(20, 16, policy, packing);
        vm.snapshotGasLastCall("MatchPolicy", "schedule with packing terms of the most entries");
        (,, bytes32 scheduled) = matchPolicy.roundTerms(20);
        assertEq(scheduled, policyHash);
    }

    function test_TermsWithoutStepsAndModelsAreTaken() public {
        vm.roll(DEPLOYED_IN + 20);
        PackingTerms memory packing;
        _deployPacked(packing);
        packing.value = new uint16[](1);
        packing.value[0] = 1;
        _assertPackingInvalid(packing, "packing.value");
    }

    function test_TheFirstVersionTakesNoPacking() public {
        vm.roll(DEPLOYED_IN + 20);
        Policy memory policy = _policy();
        policy.weightPriceBps -= 1;
        policy.weightPackingBps = 1;
        _assertInvalid(policy, "weightPackingBps");
        policy = _policy();
        policy.packingHash = bytes32(uint256(1));
        _assertInvalid(policy, "packingHash");
        for (uint256 field = 0; field < 9; field++) {
            PackingTerms memory packing;
            if (field == 0) packing.fromMilli = new uint16[](1);
            else if (field == 1) packing.value = new uint16[](1);
            else if (field == 2) packing.deviceWeight = 1;
            else if (field == 3) packing.cpuWeight = 1;
            else if (field == 4) packing.memoryWeight = 1;
            else if (field == 5) packing.cpuRate = 1;
            else if (field == 6) packing.memoryRate = 1;
            else if (field == 7) packing.models = new uint16[](1);
            else packing.modelFactor = new uint16[](1);
            vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, "packing"));
            matchPolicy.schedule(20, 16, _policy(), packing);
        }
    }

    function test_RevertIf_TheTermsAreNotThoseOfTheHash() public {
        vm.roll(DEPLOYED_IN + 20);
        PackingTerms memory packing = _packing();
        Policy memory policy = _packed(packing);
        packing.cpuRate -= 1;
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, "packingHash"));
        matchPolicy.schedule(20, 16, policy, packing);
    }

    function test_RevertIf_APackingTermIsOutOfBounds() public {
        vm.roll(DEPLOYED_IN + 20);
        PackingTerms memory packing = _packing();
        packing.fromMilli = _ascending(17, 1);
        packing.value = _ascending(17, 1);
        _assertPackingInvalid(packing, "packing.fromMilli");
        packing = _packing();
        packing.fromMilli[0] = 0;
        _assertPackingInvalid(packing, "packing.fromMilli");
        packing.fromMilli[0] = packing.fromMilli[1];
        _assertPackingInvalid(packing, "packing.fromMilli");
        packing = _packing();
        packing.fromMilli[15] = 1001;
        _assertPackingInvalid(packing, "packing.fromMilli");
        packing = _packing();
        packing.value = _ascending(15, 1);
        _assertPackingInvalid(packing, "packing.value");
        packing = _packing();
        packing.value[0] = 0;
        _assertPackingInvalid(packing, "packing.value");
        packing = _packing();
        packing.value[14] = 999;
        packing.value[15] = 998;
        _assertPackingInvalid(packing, "packing.value");
        packing = _packing();
        packing.value[15] = 1001;
        _assertPackingInvalid(packing, "packing.value");
        packing = _packing();
        packing.deviceWeight = 65;
        _assertPackingInvalid(packing, "packing.deviceWeight");
        packing = _packing();
        packing.cpuWeight = 65;
        _assertPackingInvalid(packing, "packing.cpuWeight");
        packing = _packing();
        packing.memoryWeight = 17;
        _assertPackingInvalid(packing, "packing.memoryWeight");
        packing = _packing();
        packing.cpuRate = (1 << 14) + 1;
        _assertPackingInvalid(packing, "packing.cpuRate");
        packing = _packing();
        packing.memoryRate = (1 << 12) + 1;
        _assertPackingInvalid(packing, "packing.memoryRate");
        packing = _packing();
        packing.models = _ascending(33, 1);
        packing.modelFactor = _ascending(33, 1);
        _assertPackingInvalid(packing, "packing.models");
        packing = _packing();
        packing.models[0] = 0;
        _assertPackingInvalid(packing, "packing.models");
        packing = _packing();
        packing.models[31] = 1024;
        _assertPackingInvalid(packing, "packing.models");
        packing = _packing();
        packing.modelFactor = _ascending(31, 1);
        _assertPackingInvalid(packing, "packing.modelFactor");
        packing = _packing();
        packing.modelFactor[7] = 0;
        _assertPackingInvalid(packing, "packing.modelFactor");
        packing.modelFactor[7] = 1025;
        _assertPackingInvalid(packing, "packing.modelFactor");
    }

    /// Nodes abstain from rules that they do not know; what their packing terms may be is not for this contract to say.
    function test_LaterVersionsTakeAnyTermsOfTheirHash() public {
        PackingTerms memory packing = _packing();
        packing.deviceWeight = 65;
        Policy memory policy = _packed(packing);
        policy.rulesVersion = 3;
        assertEq(_hashInForce(_deployWith(policy, packing)), keccak256(abi.encode(policy)));
        policy.packingHash = 0;
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, "packingHash"));
        _deployWith(policy, packing);
    }

    /// Terms at all their bounds.
    function _packing() private pure returns (PackingTerms memory packing) {
        packing.fromMilli = _ascending(16, 985);
        packing.value = _ascending(16, 985);
        packing.deviceWeight = 64;
        packing.cpuWeight = 64;
        packing.memoryWeight = 16;
        packing.cpuRate = 1 << 14;
        packing.memoryRate = 1 << 12;
        packing.models = _ascending(32, 992);
        packing.modelFactor = _ascending(32, 993);
    }

    function _ascending(uint256 length, uint16 first) private pure returns (uint16[] memory list) {
        list = new uint16[](length);
        for (uint16 i = 0; i < length; i++) {
            list[i] = first + i;
        }
    }

    function _packed(PackingTerms memory packing) private pure returns (Policy memory policy) {
        policy = _policy();
        policy.rulesVersion = 2;
        policy.weightPriceBps -= 1000;
        policy.weightPackingBps = 1000;
        policy.packingHash = keccak256(abi.encode(packing));
    }

    function _deployPacked(PackingTerms memory packing) private {
        Policy memory policy = _packed(packing);
        assertEq(_hashInForce(_deployWith(policy, packing)), keccak256(abi.encode(policy)));
    }

    function _deployWith(Policy memory policy, PackingTerms memory packing) private returns (MatchPolicy) {
        bytes memory call = abi.encodeCall(MatchPolicy.initialize, (address(authority), 8, policy, packing));
        return MatchPolicy(address(new ERC1967Proxy(implementation, call)));
    }

    function _hashInForce(MatchPolicy deployed) private view returns (bytes32 policyHash) {
        (,, policyHash) = deployed.roundTerms(1);
    }

    function _assertPackingInvalid(PackingTerms memory packing, string memory field) private {
        Policy memory policy = _packed(packing);
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, field));
        matchPolicy.schedule(20, 16, policy, packing);
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, field));
        _deployWith(policy, packing);
    }

    /// B never changes for the open round and the two after it, through any sequence of changes.
    function testFuzz_SnapshotBlocksNeverMove(uint8[6] memory waits, uint8[6] memory leads, uint8[6] memory lengths) public {
        vm.roll(DEPLOYED_IN + 9);
        uint256 changes;
        for (uint256 i; i < 6; ++i) {
            uint32 next = matchPolicy.fromRoundNow();
            uint40[3] memory before =
                [matchPolicy.snapshotBlock(next - 1), matchPolicy.snapshotBlock(next), matchPolicy.snapshotBlock(next + 1)];
            uint32 change = next + 2 + leads[i] % 4;
            uint40 changeBlock = matchPolicy.snapshotBlock(change);
            (uint256 newest,,) = ScheduleWord.wrap(uint256(vm.load(address(matchPolicy), bytes32(Slots.SCHEDULE)))).newest();
            if (newest < next) {
                matchPolicy.schedule(change, uint16(bound(lengths[i], 1, 200)), _policy(), noPacking());
                assertEq(matchPolicy.snapshotBlock(change), changeBlock);
                ++changes;
            }
            for (uint32 k; k < 3; ++k) {
                assertEq(matchPolicy.snapshotBlock(next - 1 + k), before[k]);
            }
            vm.roll(block.number + waits[i]);
        }
        assertGt(changes, 0);
    }

    function _assertInvalid(Policy memory policy, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, field));
        matchPolicy.schedule(20, 16, policy, noPacking());
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, field));
        _deploy(8, policy);
    }

    function _assertLengthInvalid(uint16 length) private {
        vm.expectRevert(abi.encodeWithSelector(IMatchPolicy.PolicyFieldInvalid.selector, "lengthBlocks"));
        matchPolicy.schedule(20, length, _policy(), noPacking());
    }
}
