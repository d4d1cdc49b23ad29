// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { IAllocationManager } from "../../src/eigenlayer/IAllocationManager.sol";
import { IAVSRegistrar } from "../../src/eigenlayer/IAVSRegistrar.sol";
import { IKeyRegistrar } from "../../src/eigenlayer/IKeyRegistrar.sol";
import { ICrossChainRegistry } from "../../src/eigenlayer/ICrossChainRegistry.sol";
import { IDelegationManager } from "../../src/eigenlayer/IDelegationManager.sol";
import { IStrategyManager } from "../../src/eigenlayer/IStrategyManager.sol";
import { IRewardsCoordinator } from "../../src/eigenlayer/IRewardsCoordinator.sol";
import { IOperatorTableUpdater } from "../../src/eigenlayer/IOperatorTableUpdater.sol";
import { IECDSACertificateVerifier } from "../../src/eigenlayer/IECDSACertificateVerifier.sol";
import { IBN254CertificateVerifier } from "../../src/eigenlayer/IBN254CertificateVerifier.sol";

/// @notice Our declarations of EigenLayer's ABI against selectors and topics taken from its compiled contracts.
contract EigenSelectorsTest is Test {
    function test_allocationManager() public pure {
        assertEq(IAllocationManager.createOperatorSets.selector, bytes4(0x3dff8e7d));
        assertEq(IAllocationManager.createRedistributingOperatorSets.selector, bytes4(0xd1a83f54));
        assertEq(IAllocationManager.registerForOperatorSets.selector, bytes4(0xadc2e3d9));
        assertEq(IAllocationManager.modifyAllocations.selector, bytes4(0x952899ee));
        assertEq(IAllocationManager.getMinimumSlashableStake.selector, bytes4(0x2bab2c4a));
        assertEq(IAllocationManager.getAllocatedStake.selector, bytes4(0x2b453a9a));
        assertEq(IAllocationManager.NonexistentAVSMetadata.selector, bytes4(0x48f7dbb9));
        assertEq(IAllocationManager.InvalidAVSRegistrar.selector, bytes4(0xe8589e08));
        assertEq(IAllocationManager.UninitializedAllocationDelay.selector, bytes4(0xfa55fc81));
        assertEq(IAllocationManager.ModificationAlreadyPending.selector, bytes4(0xd8fcbe30));
        assertEq(IAllocationManager.SameMagnitude.selector, bytes4(0x8c0c2f26));
        assertEq(IAllocationManager.InsufficientMagnitude.selector, bytes4(0x6c9be0bf));
        assertEq(IAllocationManager.AlreadyMemberOfSet.selector, bytes4(0xd8d8dc4e));
        assertEq(IAllocationManager.NotMemberOfSet.selector, bytes4(0x25131d4f));
        assertEq(IAllocationManager.InvalidCaller.selector, bytes4(0x48f5c3ed));
        assertEq(IAllocationManager.InputArrayLengthMismatch.selector, bytes4(0x43714afd));
        assertEq(IAllocationManager.StrategyNotInOperatorSet.selector, bytes4(0x6378684e));
    }

    function test_slashing() public pure {
        assertEq(IAllocationManager.slashOperator.selector, bytes4(0x36352057));
        assertEq(IAllocationManager.OperatorSlashed.selector, bytes32(0x80969ad29428d6797ee7aad084f9e4a42a82fc506dcd2ca3b6fb431f85ccebe5));
        assertEq(IAllocationManager.OperatorNotSlashable.selector, bytes4(0xebbff497));
        assertEq(IAllocationManager.StrategiesMustBeInAscendingOrder.selector, bytes4(0x9f1c8053));
        assertEq(IAllocationManager.InvalidWadToSlash.selector, bytes4(0x13536031));
    }

    function test_delegationManager() public pure {
        assertEq(IDelegationManager.InvalidSignature.selector, bytes4(0x8baa579f));
        assertEq(IDelegationManager.InputArrayLengthMismatch.selector, bytes4(0x43714afd));
    }

    function test_strategyManager() public pure {
        assertEq(IStrategyManager.InvalidSignature.selector, bytes4(0x8baa579f));
    }

    function test_rewardsCoordinator() public pure {
        assertEq(IRewardsCoordinator.InputArrayLengthMismatch.selector, bytes4(0x43714afd));
    }

    function test_avsRegistrar() public pure {
        assertEq(IAVSRegistrar.registerOperator.selector, bytes4(0xc63fd502));
        assertEq(IAVSRegistrar.deregisterOperator.selector, bytes4(0x303ca956));
        assertEq(IAVSRegistrar.supportsAVS.selector, bytes4(0xb5265787));
    }

    function test_keyRegistrar() public pure {
        assertEq(IKeyRegistrar.registerKey.selector, bytes4(0xd40cda16));
        assertEq(IKeyRegistrar.deregisterKey.selector, bytes4(0x87ab86f4));
        assertEq(IKeyRegistrar.ConfigurationAlreadySet.selector, bytes4(0x0081f09f));
        assertEq(IKeyRegistrar.OperatorSetNotConfigured.selector, bytes4(0xb9a620da));
        assertEq(IKeyRegistrar.OperatorAlreadyRegistered.selector, bytes4(0x42ee68b5));
        assertEq(IKeyRegistrar.KeyAlreadyRegistered.selector, bytes4(0x18f78402));
        assertEq(IKeyRegistrar.InvalidKeyFormat.selector, bytes4(0xd1091181));
        assertEq(IKeyRegistrar.OperatorStillSlashable.selector, bytes4(0x10702879));
        assertEq(IKeyRegistrar.InvalidSignature.selector, bytes4(0x8baa579f));
    }

    function test_crossChainRegistry() public pure {
        assertEq(ICrossChainRegistry.calculateOperatorTableBytes.selector, bytes4(0x41ee6d0e));
        assertEq(ICrossChainRegistry.InvalidStalenessPeriod.selector, bytes4(0x5c8c9062));
        assertEq(ICrossChainRegistry.KeyTypeNotSet.selector, bytes4(0xe57cacbd));
        assertEq(ICrossChainRegistry.GenerationReservationAlreadyExists.selector, bytes4(0x18834615));
        assertEq(ICrossChainRegistry.GenerationReservationDoesNotExist.selector, bytes4(0x9a575d52));
    }

    function test_operatorTableUpdater() public pure {
        assertEq(IOperatorTableUpdater.updateOperatorTable.selector, bytes4(0x9ea94778));
        assertEq(
            IOperatorTableUpdater.NewGlobalTableRoot.selector, bytes32(0x010dcbe0d1e019c93357711f7bb6287d543b7ff7de74f29df3fb5ecceec8d369)
        );
        assertEq(IOperatorTableUpdater.TableUpdateForPastTimestamp.selector, bytes4(0x207617df));
        assertEq(IOperatorTableUpdater.InvalidGlobalTableRoot.selector, bytes4(0xc73a136a));
        assertEq(IOperatorTableUpdater.InvalidOperatorSetProof.selector, bytes4(0xafa42ca7));
        assertEq(IOperatorTableUpdater.InvalidRoot.selector, bytes4(0x504570e3));
        assertEq(IOperatorTableUpdater.InvalidIndex.selector, bytes4(0x63df8171));
        assertEq(IOperatorTableUpdater.InvalidProofLength.selector, bytes4(0x4dc5f6a4));
        assertEq(IOperatorTableUpdater.EmptyRoot.selector, bytes4(0x53ce4ece));
    }

    function test_ecdsaCertificateVerifier() public pure {
        assertEq(IECDSACertificateVerifier.verifyCertificate.selector, bytes4(0x80c7d3f3));
        assertEq(IECDSACertificateVerifier.verifyCertificateProportion.selector, bytes4(0xc0da2420));
        assertEq(IECDSACertificateVerifier.verifyCertificateNominal.selector, bytes4(0xbe86e0b2));
        assertEq(IECDSACertificateVerifier.calculateCertificateDigest.selector, bytes4(0x18467434));
        assertEq(IECDSACertificateVerifier.updateOperatorTable.selector, bytes4(0x56d482f5));
        assertEq(
            IECDSACertificateVerifier.TableUpdated.selector, bytes32(0x4f588da9ec57976194a79b5594f8f8782923d93013df2b9ed12fe125805011ef)
        );
        assertEq(IECDSACertificateVerifier.ArrayLengthMismatch.selector, bytes4(0xa24a13a6));
        assertEq(IECDSACertificateVerifier.CertificateStale.selector, bytes4(0xc81f9ad6));
        assertEq(IECDSACertificateVerifier.ReferenceTimestampDoesNotExist.selector, bytes4(0x6568bdb8));
        assertEq(IECDSACertificateVerifier.VerificationFailed.selector, bytes4(0x439cc0cd));
        assertEq(IECDSACertificateVerifier.RootDisabled.selector, bytes4(0x1b14174b));
        assertEq(IECDSACertificateVerifier.InvalidSignatureLength.selector, bytes4(0x4be6321b));
        assertEq(IECDSACertificateVerifier.SignersNotOrdered.selector, bytes4(0xb550c570));
        assertEq(IECDSACertificateVerifier.OperatorCountZero.selector, bytes4(0x40a42054));
        assertEq(IECDSACertificateVerifier.InvalidSignature.selector, bytes4(0x8baa579f));
    }

    function test_bn254CertificateVerifier() public pure {
        assertEq(IBN254CertificateVerifier.verifyCertificate.selector, bytes4(0x080b7150));
        assertEq(IBN254CertificateVerifier.verifyCertificateProportion.selector, bytes4(0x017d7974));
        assertEq(IBN254CertificateVerifier.verifyCertificateNominal.selector, bytes4(0xdd2ae1b9));
        assertEq(IBN254CertificateVerifier.InvalidOperatorIndex.selector, bytes4(0x03f4a78e));
        assertEq(IBN254CertificateVerifier.NonSignerIndicesNotSorted.selector, bytes4(0xec6268b8));
        assertEq(IBN254CertificateVerifier.InvalidIndex.selector, bytes4(0x63df8171));
        assertEq(IBN254CertificateVerifier.InvalidProofLength.selector, bytes4(0x4dc5f6a4));
        assertEq(IBN254CertificateVerifier.EmptyRoot.selector, bytes4(0x53ce4ece));
        assertEq(IBN254CertificateVerifier.CertificateStale.selector, bytes4(0xc81f9ad6));
        assertEq(IBN254CertificateVerifier.VerificationFailed.selector, bytes4(0x439cc0cd));
        assertEq(
            IBN254CertificateVerifier.TableUpdated.selector, bytes32(0x93e6bea1c9b5dce4a5c07b00261e956df2a4a253d9ab6ca070ca2037d72ada9e)
        );
    }
}
