// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAVSRegistrar } from "../eigenlayer/IAVSRegistrar.sol";
import { IAllocationManager } from "../eigenlayer/IAllocationManager.sol";
import { IDelegationManager } from "../eigenlayer/IDelegationManager.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { IPermissionController } from "../eigenlayer/IPermissionController.sol";
import { IStrategy } from "../eigenlayer/IStrategy.sol";
import { OperatorSet } from "../eigenlayer/EigenTypes.sol";

/// @notice Whose sets are joined, and with what.
struct RegistrarTerms {
    IAllocationManager allocationManager;
    IDelegationManager delegationManager;
    IKeyRegistrar keyRegistrar;
    IPermissionController permissionController;
    address avs;
    IStrategy strategy;
    /// Of the strategy, the operator's own and its delegators'.
    uint256 minimumShares;
}

/// @title Decides which operators may join Matchmaker's operator sets and publishes where they can be reached.
/// @notice An operator needs a signing key in every set it joins, so that no stake stands in a set without a signer behind it.
/// @dev It trusts EigenLayer's contracts of its constructor and nothing else. The AVS sets the least stake to join with, and nothing more. Every
/// member makes the operator table dearer to calculate and to carry, so that members without stake could price it out; whoever takes its stake
/// away once it has joined stays a member until the AVS has EigenLayer deregister it, and its stake is free to join elsewhere only after
/// EigenLayer's withdrawal delay.
contract MatchmakerRegistrar is IAVSRegistrar {
    event OperatorRegistered(address indexed operator, uint32[] operatorSetIds);
    event OperatorDeregistered(address indexed operator, uint32[] operatorSetIds);
    event MinimumSharesSet(uint256 shares);
    event OperatorSocketSet(address indexed operator, string socket);

    error NotAllocationManager();
    error UnsupportedAVS(address avs);
    error KeyNotRegistered();
    error CallerNotOperator();
    error CallerNotAvs();
    error StakeBelowMinimum(uint256 shares, uint256 minimum);
    error SocketTooLong(uint256 length);

    /// @notice Longest socket in bytes: a URL fits, a document does not.
    uint256 public constant MAX_SOCKET_BYTES = 256;

    IAllocationManager public immutable allocationManager;
    IDelegationManager public immutable delegationManager;
    IKeyRegistrar public immutable keyRegistrar;
    IPermissionController public immutable permissionController;
    address public immutable avs;
    IStrategy public immutable strategy;

    /// @notice Shares of the strategy that an operator needs to join with.
    uint256 public minimumShares;
    mapping(address operator => string) private _sockets;

    constructor(RegistrarTerms memory terms) {
        allocationManager = terms.allocationManager;
        delegationManager = terms.delegationManager;
        keyRegistrar = terms.keyRegistrar;
        permissionController = terms.permissionController;
        avs = terms.avs;
        strategy = terms.strategy;
        _setMinimumShares(terms.minimumShares);
    }

    /// @param data `abi.encode(string socket)`; anything else refuses the registration.
    function registerOperator(address operator, address avs_, uint32[] calldata operatorSetIds, bytes calldata data) external {
        require(msg.sender == address(allocationManager), NotAllocationManager());
        require(supportsAVS(avs_), UnsupportedAVS(avs_));
        for (uint256 i; i < operatorSetIds.length; ++i) {
            require(keyRegistrar.isRegistered(OperatorSet(avs_, operatorSetIds[i]), operator), KeyNotRegistered());
        }
        uint256 shares = _sharesOf(operator);
        require(shares >= minimumShares, StakeBelowMinimum(shares, minimumShares));
        _setSocket(operator, abi.decode(data, (string)));
        emit OperatorRegistered(operator, operatorSetIds);
    }

    /// @dev A revert would hold the operator's stake here, so whatever the allocation manager says goes through.
    function deregisterOperator(address operator, address, uint32[] calldata operatorSetIds) external {
        require(msg.sender == address(allocationManager), NotAllocationManager());
        emit OperatorDeregistered(operator, operatorSetIds);
    }

    /// @notice Publishes another socket. For whoever EigenLayer's permission controller lets call this for the operator: its admins (the
    /// operator itself while it has none) and the appointees for this function.
    function updateSocket(address operator, string calldata socket) external {
        require(permissionController.canCall(operator, msg.sender, address(this), msg.sig), CallerNotOperator());
        _setSocket(operator, socket);
    }

    /// @notice Says what operators need to join with from now on. For whoever EigenLayer's permission controller lets call this for the AVS.
    function setMinimumShares(uint256 shares) external {
        require(permissionController.canCall(avs, msg.sender, address(this), msg.sig), CallerNotAvs());
        _setMinimumShares(shares);
    }

    function supportsAVS(address avs_) public view returns (bool) {
        return avs_ == avs;
    }

    /// @return The socket published last, also after the operator left.
    function getOperatorSocket(address operator) external view returns (string memory) {
        return _sockets[operator];
    }

    function _sharesOf(address operator) private view returns (uint256) {
        IStrategy[] memory strategies = new IStrategy[](1);
        strategies[0] = strategy;
        return delegationManager.getOperatorShares(operator, strategies)[0];
    }

    function _setMinimumShares(uint256 shares) private {
        minimumShares = shares;
        emit MinimumSharesSet(shares);
    }

    function _setSocket(address operator, string memory socket) private {
        require(bytes(socket).length <= MAX_SOCKET_BYTES, SocketTooLong(bytes(socket).length));
        _sockets[operator] = socket;
        emit OperatorSocketSet(operator, socket);
    }
}
