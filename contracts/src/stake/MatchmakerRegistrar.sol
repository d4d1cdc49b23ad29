// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAVSRegistrar } from "../eigenlayer/IAVSRegistrar.sol";
import { IAllocationManager } from "../eigenlayer/IAllocationManager.sol";
import { IKeyRegistrar } from "../eigenlayer/IKeyRegistrar.sol";
import { IPermissionController } from "../eigenlayer/IPermissionController.sol";
import { OperatorSet } from "../eigenlayer/EigenTypes.sol";

/// @title Decides which operators may join Matchmaker's operator sets and publishes where they can be reached.
/// @notice An operator needs a signing key in every set it joins, so that no stake stands in a set without a signer behind it.
/// @dev It trusts the allocation manager, the key registrar and the permission controller of its constructor and nothing else, and has no owner.
contract MatchmakerRegistrar is IAVSRegistrar {
    event OperatorRegistered(address indexed operator, uint32[] operatorSetIds);
    event OperatorDeregistered(address indexed operator, uint32[] operatorSetIds);
    event OperatorSocketSet(address indexed operator, string socket);

    error NotAllocationManager();
    error UnsupportedAVS(address avs);
    error KeyNotRegistered();
    error CallerNotOperator();
    error SocketTooLong(uint256 length);

    /// @notice Longest socket in bytes: a URL fits, a document does not.
    uint256 public constant MAX_SOCKET_BYTES = 256;

    IAllocationManager public immutable allocationManager;
    IKeyRegistrar public immutable keyRegistrar;
    IPermissionController public immutable permissionController;
    address public immutable avs;

    mapping(address operator => string) private _sockets;

    constructor(
        IAllocationManager allocationManager_,
        IKeyRegistrar keyRegistrar_,
        IPermissionController permissionController_,
        address avs_
    ) {
        allocationManager = allocationManager_;
        keyRegistrar = keyRegistrar_;
        permissionController = permissionController_;
        avs = avs_;
    }

    /// @param data `abi.encode(string socket)`; anything else refuses the registration.
    function registerOperator(address operator, address avs_, uint32[] calldata operatorSetIds, bytes calldata data) external {
        require(msg.sender == address(allocationManager), NotAllocationManager());
        require(supportsAVS(avs_), UnsupportedAVS(avs_));
        for (uint256 i; i < operatorSetIds.length; ++i) {
            require(keyRegistrar.isRegistered(OperatorSet(avs_, operatorSetIds[i]), operator), KeyNotRegistered());
        }
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

    function supportsAVS(address avs_) public view returns (bool) {
        return avs_ == avs;
    }

    /// @return The socket published last, also after the operator left.
    function getOperatorSocket(address operator) external view returns (string memory) {
        return _sockets[operator];
    }

    function _setSocket(address operator, string memory socket) private {
        require(bytes(socket).length <= MAX_SOCKET_BYTES, SocketTooLong(bytes(socket).length));
        _sockets[operator] = socket;
        emit OperatorSocketSet(operator, socket);
    }
}
