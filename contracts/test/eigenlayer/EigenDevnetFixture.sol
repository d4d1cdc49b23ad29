// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { IStrategy } from "../../src/eigenlayer/IStrategy.sol";
import {
    OperatorSet,
    OperatorSetConfig,
    CurveType,
    CreateSetParamsV2,
    RegisterParams,
    AllocateParams,
    ECDSAOperatorInfo,
    BN254Certificate,
    BN254OperatorInfoWitness,
    BN254OperatorSetInfo,
    G1Point,
    G2Point
} from "../../src/eigenlayer/EigenTypes.sol";
import { Bn254 } from "../../src/quorum/Bn254.sol";
import { DevnetPermissionController } from "../../src/eigenlayer/devnet/DevnetPermissionController.sol";
import { DevnetDelegationManager } from "../../src/eigenlayer/devnet/DevnetDelegationManager.sol";
import { DevnetStrategyManager } from "../../src/eigenlayer/devnet/DevnetStrategyManager.sol";
import { DevnetStrategyFactory } from "../../src/eigenlayer/devnet/DevnetStrategyFactory.sol";
import { DevnetToken } from "../../src/devnet/DevnetToken.sol";
import { DevnetAllocationManager } from "../../src/eigenlayer/devnet/DevnetAllocationManager.sol";
import { DevnetKeyRegistrar } from "../../src/eigenlayer/devnet/DevnetKeyRegistrar.sol";
import { DevnetCrossChainRegistry } from "../../src/eigenlayer/devnet/DevnetCrossChainRegistry.sol";
import { DevnetBN254CertificateVerifier } from "../../src/eigenlayer/devnet/DevnetBN254CertificateVerifier.sol";
import { DevnetECDSACertificateVerifier } from "../../src/eigenlayer/devnet/DevnetECDSACertificateVerifier.sol";
import { DevnetOperatorTableUpdater } from "../../src/eigenlayer/devnet/DevnetOperatorTableUpdater.sol";
import { MatchmakerRegistrar, RegistrarTerms } from "../../src/stake/MatchmakerRegistrar.sol";
import { EcdsaTableCalculator } from "../../src/stake/EcdsaTableCalculator.sol";

/// @notice Deploys the devnet's EigenLayer with one ECDSA operator set and knows how operators join and tables travel.
abstract contract EigenDevnetFixture is Test {
    uint32 internal constant DEALLOCATION_DELAY = 10;
    uint32 internal constant CONFIGURATION_DELAY = 15;
    uint32 internal constant CADENCE = 60;
    uint32 internal constant MAX_STALENESS = 600;
    uint64 internal constant WAD = 1e18;
    /// @dev A scalar picked for tests; its public keys below were computed with @noble/curves.
    uint256 internal constant GENERATOR_KEY = 17682882145435770458057148458594738389122564204888644359150796663971919590951;

    address internal avs = makeAddr("avs");
    address internal slasher = makeAddr("slasher");
    address internal pauser = makeAddr("pauser");
    address internal tableOwner = makeAddr("tableOwner");
    OperatorSet internal operatorSet;
    OperatorSet internal generatorSet;

    DevnetPermissionController internal permissionController;
    DevnetDelegationManager internal delegationManager;
    DevnetStrategyManager internal strategyManager;
    DevnetStrategyFactory internal strategyFactory;
    DevnetAllocationManager internal allocationManager;
    DevnetKeyRegistrar internal keyRegistrar;
    DevnetCrossChainRegistry internal crossChainRegistry;
    DevnetBN254CertificateVerifier internal bn254Verifier;
    DevnetECDSACertificateVerifier internal ecdsaVerifier;
    DevnetOperatorTableUpdater internal updater;
    DevnetToken internal stakeToken;
    IStrategy internal strategy;
    MatchmakerRegistrar internal registrar;
    EcdsaTableCalculator internal calculator;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.roll(1_000);
        operatorSet = OperatorSet(avs, 7);
        generatorSet = OperatorSet(makeAddr("generator"), 0);
        _deployEigenLayer();
        stakeToken = new DevnetToken("Stake", "STK", 18);
        stakeToken.mint(address(this), 1e30);
        strategy = strategyFactory.deployNewStrategy(stakeToken);
        _createOperatorSet();
    }

    /// @dev The core contracts know each other, so every address is computed before the first is deployed.
    function _deployEigenLayer() private {
        uint256 nonce = vm.getNonce(address(this));
        address predictedStrategyManager = vm.computeCreateAddress(address(this), nonce + 2);
        address predictedFactory = vm.computeCreateAddress(address(this), nonce + 3);
        address predictedAllocationManager = vm.computeCreateAddress(address(this), nonce + 4);
        address predictedUpdater = vm.computeCreateAddress(address(this), nonce + 9);
        permissionController = new DevnetPermissionController();
        delegationManager = new DevnetDelegationManager(
            DevnetAllocationManager(predictedAllocationManager),
            DevnetStrategyManager(predictedStrategyManager),
            permissionController,
            DEALLOCATION_DELAY
        );
        strategyManager =
            new DevnetStrategyManager(delegationManager, DevnetAllocationManager(predictedAllocationManager), predictedFactory);
        strategyFactory = new DevnetStrategyFactory(strategyManager);
        allocationManager = new DevnetAllocationManager(delegationManager, permissionController, DEALLOCATION_DELAY, CONFIGURATION_DELAY);
        keyRegistrar = new DevnetKeyRegistrar(allocationManager, permissionController);
        crossChainRegistry = new DevnetCrossChainRegistry(allocationManager, keyRegistrar, permissionController, CADENCE);
        bn254Verifier = new DevnetBN254CertificateVerifier(DevnetOperatorTableUpdater(predictedUpdater));
        ecdsaVerifier = new DevnetECDSACertificateVerifier(DevnetOperatorTableUpdater(predictedUpdater));
        updater = new DevnetOperatorTableUpdater(bn254Verifier, ecdsaVerifier, pauser, generatorSet, 10_000, generatorInfo());
        assertEq(address(updater), predictedUpdater);
    }

    function _createOperatorSet() private {
        registrar = new MatchmakerRegistrar(
            RegistrarTerms({
                allocationManager: allocationManager,
                delegationManager: delegationManager,
                keyRegistrar: keyRegistrar,
                permissionController: permissionController,
                avs: avs,
                strategy: strategy,
                minimumShares: 0
            })
        );
        calculator = new EcdsaTableCalculator(keyRegistrar, allocationManager, 5);
        vm.startPrank(avs);
        allocationManager.updateAVSMetadataURI(avs, "https://matchmaker.example/avs.json");
        allocationManager.setAVSRegistrar(avs, registrar);
        allocationManager.createOperatorSets(avs, setParams(operatorSet.id, strategy));
        keyRegistrar.configureOperatorSet(operatorSet, CurveType.ECDSA);
        crossChainRegistry.createGenerationReservation(operatorSet, calculator, OperatorSetConfig(tableOwner, MAX_STALENESS));
        vm.stopPrank();
    }

    // ------------------------------------------------------------------ operators

    struct Operator {
        address account;
        uint256 signingKey;
        address signer;
    }

    function makeOperator(string memory name) internal returns (Operator memory operator) {
        operator.account = makeAddr(name);
        (operator.signer, operator.signingKey) = makeAddrAndKey(string.concat(name, ".signing"));
    }

    /// @notice Registers, stakes, allocates everything, registers the key and joins the set.
    function joinSet(string memory name, uint256 stake) internal returns (Operator memory operator) {
        operator = makeOperator(name);
        registerAsOperator(operator.account, 0);
        if (stake != 0) deposit(operator.account, stake);
        allocate(operator.account, WAD);
        registerKey(operator);
        registerForSet(operator.account);
    }

    function registerAsOperator(address account, uint32 allocationDelay) internal {
        vm.prank(account);
        delegationManager.registerAsOperator(address(0), allocationDelay, "");
    }

    function deposit(address account, uint256 amount) internal returns (uint256 shares) {
        require(stakeToken.transfer(account, amount));
        vm.startPrank(account);
        stakeToken.approve(address(strategyManager), amount);
        shares = strategyManager.depositIntoStrategy(strategy, stakeToken, amount);
        vm.stopPrank();
    }

    function allocate(address account, uint64 magnitude) internal {
        vm.prank(account);
        allocationManager.modifyAllocations(account, allocateParams(operatorSet, strategy, magnitude));
    }

    function registerKey(Operator memory operator) internal {
        bytes memory signature = keySignature(operator);
        vm.prank(operator.account);
        keyRegistrar.registerKey(operator.account, operatorSet, abi.encodePacked(operator.signer), signature);
    }

    function keySignature(Operator memory operator) internal view returns (bytes memory) {
        return sign(operator.signingKey, keyRegistrar.getECDSAKeyRegistrationMessageHash(operator.account, operatorSet, operator.signer));
    }

    function registerForSet(address account) internal {
        vm.prank(account);
        allocationManager.registerForOperatorSets(account, registerParams("http://operator.example:9001"));
    }

    function registerParams(string memory socket) internal view returns (RegisterParams memory) {
        return RegisterParams(avs, ids(operatorSet.id), abi.encode(socket));
    }

    function setParams(uint32 id, IStrategy setStrategy) internal view returns (CreateSetParamsV2[] memory params) {
        params = new CreateSetParamsV2[](1);
        params[0] = CreateSetParamsV2(id, strategies(setStrategy), slasher);
    }

    function allocateParams(OperatorSet memory toSet, IStrategy setStrategy, uint64 magnitude)
        internal
        pure
        returns (AllocateParams[] memory params)
    {
        params = new AllocateParams[](1);
        params[0] = AllocateParams(toSet, strategies(setStrategy), new uint64[](1));
        params[0].newMagnitudes[0] = magnitude;
    }

    function strategies(IStrategy only) internal pure returns (IStrategy[] memory list) {
        list = new IStrategy[](1);
        list[0] = only;
    }

    function ids(uint32 only) internal pure returns (uint32[] memory list) {
        list = new uint32[](1);
        list[0] = only;
    }

    function addresses(address only) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = only;
    }

    // ------------------------------------------------------------------ tables

    function tableBytes() internal view returns (bytes memory) {
        return crossChainRegistry.calculateOperatorTableBytes(operatorSet);
    }

    function leafOf(bytes memory table) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x8e), table));
    }

    /// @notice Confirms a root that is this set's table alone and stores the table.
    function transportTable() internal returns (uint32 referenceTimestamp) {
        referenceTimestamp = nextTimestamp();
        bytes memory table = tableBytes();
        confirmRoot(leafOf(table), referenceTimestamp);
        updater.updateOperatorTable(referenceTimestamp, leafOf(table), 0, "", table);
    }

    /// @notice Stores any table for the operator set.
    function transportInfos(ECDSAOperatorInfo[] memory infos) internal returns (uint32 referenceTimestamp) {
        referenceTimestamp = nextTimestamp();
        bytes memory table = abi.encode(operatorSet, CurveType.ECDSA, OperatorSetConfig(tableOwner, MAX_STALENESS), abi.encode(infos));
        confirmRoot(leafOf(table), referenceTimestamp);
        updater.updateOperatorTable(referenceTimestamp, leafOf(table), 0, "", table);
    }

    function nextTimestamp() internal returns (uint32) {
        vm.warp(vm.getBlockTimestamp() + 12);
        return uint32(vm.getBlockTimestamp());
    }

    function confirmRoot(bytes32 root, uint32 referenceTimestamp) internal {
        updater.confirmGlobalTableRoot(rootCertificate(root, referenceTimestamp), root, referenceTimestamp, uint32(block.number));
    }

    function rootCertificate(bytes32 root, uint32 referenceTimestamp) internal view returns (BN254Certificate memory) {
        return generatorCertificate(updater.getGlobalTableUpdateMessageHash(root, referenceTimestamp, uint32(block.number)));
    }

    // ------------------------------------------------------------------ signatures

    function generatorCertificate(bytes32 messageHash) internal view returns (BN254Certificate memory) {
        bytes32 digest = bn254Verifier.calculateCertificateDigest(1, messageHash);
        return BN254Certificate(1, messageHash, signBn254(digest, GENERATOR_KEY), generatorG2(), new BN254OperatorInfoWitness[](0));
    }

    function generatorInfo() internal pure returns (BN254OperatorSetInfo memory info) {
        info.numOperators = 1;
        info.aggregatePubkey = G1Point(
            1422266465410709848146091598478836597830880757543270628437980630495831449476,
            4388215590282951800092286351752449389469480701601811859627568929794786718920
        );
        info.totalWeights = new uint256[](1);
        info.totalWeights[0] = 1;
    }

    function generatorG2() internal pure returns (G2Point memory) {
        return G2Point(
            [
                10152107707660786029455538048276288506366519249330352730942665240568282464649,
                7836837103544487357170987829659361803066743025560422137032588309628925823907
            ],
            [
                4010243592723686243694796568188036665897472944153191361377693831855362028206,
                19909982346970604784178968287169909287905667786027015143795734709868011203039
            ]
        );
    }

    function signBn254(bytes32 digest, uint256 key) internal view returns (G1Point memory signature) {
        bool ok;
        (ok, signature) = Bn254.mul(Bn254.hashToG1(digest), key);
        assertTrue(ok);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
