// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SSTORE2 } from "solady/utils/SSTORE2.sol";

import { BN254OperatorSetInfo, CurveType, ECDSAOperatorInfo, OperatorSet, OperatorSetConfig } from "../eigenlayer/EigenTypes.sol";
import { IBn254TableSource, IEcdsaTableSource, ITableRoots, ITableSource } from "../quorum/ITableSource.sol";
import { AddressAliasing } from "./AddressAliasing.sol";
import { IOrbitTableReceiver } from "./IOrbitTableReceiver.sol";

/// @title Where one operator set's tables arrive on an Arbitrum chain that EigenLayer does not serve, over the chain's own inbox.
/// @notice Stands in for EigenLayer's certificate verifier and table updater towards our quorum verifiers.
/// @dev Trusts the sender on the parent chain, which nobody can change, and the parent's bridge, as the chain itself does. No owner: a table
/// cannot be withdrawn, it goes stale. A stored table never changes. Two tables of one parent second are one: the first that arrives.
contract OrbitTableReceiver is IOrbitTableReceiver, IEcdsaTableSource, IBn254TableSource, ITableRoots {
    /// @notice The only caller: the parent chain's sender under its alias.
    address public immutable tableSender;
    CurveType public immutable curve;
    address private immutable _AVS;
    uint32 private immutable _SET_ID;

    uint32 private _latestTimestamp;
    uint32 private _maxStaleness;
    mapping(uint32 referenceTimestamp => uint32 blockNumber) private _blockNumbers;
    /// Code with the operators, 32 bytes each (key, weight of 12 bytes), or with the calculator's bytes for BN254 keys.
    mapping(uint32 referenceTimestamp => address pointer) private _tables;

    /// @param parentSender OrbitTableSender on the parent chain.
    constructor(address parentSender, OperatorSet memory operatorSet, CurveType curve_) {
        tableSender = AddressAliasing.toAlias(parentSender);
        _AVS = operatorSet.avs;
        _SET_ID = operatorSet.id;
        curve = curve_;
    }

    /// @inheritdoc IOrbitTableReceiver
    /// @dev Tickets are redeemed in any order and by anyone, so one that a newer table has overtaken reverts and may expire.
    function receiveTable(uint32 referenceTimestamp, uint32 referenceBlockNumber, bytes calldata tableBytes) external {
        if (msg.sender != tableSender) revert OnlyTableSender(msg.sender);
        if (referenceTimestamp <= _latestTimestamp) revert TableNotNewer(referenceTimestamp, _latestTimestamp);
        if (referenceTimestamp > block.timestamp) revert TableFromFuture(referenceTimestamp);
        (OperatorSet memory set, CurveType tableCurve, OperatorSetConfig memory config, bytes memory info) =
            abi.decode(tableBytes, (OperatorSet, CurveType, OperatorSetConfig, bytes));
        if (!_isOurs(set)) revert OtherOperatorSet(set.avs, set.id);
        if (tableCurve != curve) revert OtherCurve(uint8(tableCurve));
        if (config.maxStalenessPeriod == 0) revert StalenessUnlimited();
        if (block.timestamp > uint256(referenceTimestamp) + config.maxStalenessPeriod) revert TableStale(referenceTimestamp);

        _latestTimestamp = referenceTimestamp;
        _maxStaleness = config.maxStalenessPeriod;
        _blockNumbers[referenceTimestamp] = referenceBlockNumber;
        _tables[referenceTimestamp] = SSTORE2.write(curve == CurveType.ECDSA ? _packed(info) : _checked(info));
        emit TableReceived(referenceTimestamp, referenceBlockNumber);
    }

    /// @inheritdoc ITableSource
    function latestReferenceTimestamp(OperatorSet memory operatorSet) external view returns (uint32) {
        return _isOurs(operatorSet) ? _latestTimestamp : 0;
    }

    /// @inheritdoc ITableSource
    function maxOperatorTableStaleness(OperatorSet memory operatorSet) external view returns (uint32) {
        return _isOurs(operatorSet) ? _maxStaleness : 0;
    }

    /// @inheritdoc IEcdsaTableSource
    /// @return infos Empty for a table that never arrived, as for a set of BN254 keys.
    function getOperatorInfos(OperatorSet calldata operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (ECDSAOperatorInfo[] memory infos)
    {
        if (curve == CurveType.ECDSA && _isOurs(operatorSet) && _isStored(referenceTimestamp)) {
            return _unpacked(SSTORE2.read(_tables[referenceTimestamp]));
        }
    }

    /// @inheritdoc IBn254TableSource
    /// @return info Zeros for a table that never arrived, as for a set of ECDSA keys.
    function getOperatorSetInfo(OperatorSet memory operatorSet, uint32 referenceTimestamp)
        external
        view
        returns (BN254OperatorSetInfo memory info)
    {
        if (curve == CurveType.BN254 && _isOurs(operatorSet) && _isStored(referenceTimestamp)) {
            return abi.decode(SSTORE2.read(_tables[referenceTimestamp]), (BN254OperatorSetInfo));
        }
    }

    /// @inheritdoc ITableRoots
    function isRootValidByTimestamp(uint32 referenceTimestamp) external view returns (bool) {
        return _isStored(referenceTimestamp);
    }

    /// @return The parent chain's block that a table was computed in, 0 for one that never arrived.
    function getReferenceBlockNumberByTimestamp(uint32 referenceTimestamp) external view returns (uint32) {
        return _blockNumbers[referenceTimestamp];
    }

    /// Bytes that could not be read later revert.
    function _checked(bytes memory info) private pure returns (bytes memory) {
        return abi.encode(abi.decode(info, (BN254OperatorSetInfo)));
    }

    function _packed(bytes memory info) private pure returns (bytes memory packed) {
        ECDSAOperatorInfo[] memory infos = abi.decode(info, (ECDSAOperatorInfo[]));
        packed = new bytes(infos.length * 32);
        for (uint256 i; i < infos.length; ++i) {
            uint256[] memory weights = infos[i].weights;
            if (weights.length != 1 || weights[0] > type(uint96).max) revert WeightInvalid(i);
            uint256 word = (uint256(uint160(infos[i].pubkey)) << 96) | weights[0];
            assembly ("memory-safe") {
                mstore(add(add(packed, 32), shl(5, i)), word)
            }
        }
    }

    function _unpacked(bytes memory packed) private pure returns (ECDSAOperatorInfo[] memory infos) {
        infos = new ECDSAOperatorInfo[](packed.length / 32);
        for (uint256 i; i < infos.length; ++i) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(add(packed, 32), shl(5, i)))
            }
            uint256[] memory weights = new uint256[](1);
            weights[0] = word & type(uint96).max;
            infos[i] = ECDSAOperatorInfo(address(uint160(word >> 96)), weights);
        }
    }

    function _isOurs(OperatorSet memory set) private view returns (bool) {
        return set.avs == _AVS && set.id == _SET_ID;
    }

    function _isStored(uint32 referenceTimestamp) private view returns (bool) {
        return _tables[referenceTimestamp] != address(0);
    }
}
